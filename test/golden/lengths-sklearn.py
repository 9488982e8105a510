"""Evidence of kernels with a length for each feature, maximised by scikit-learn: python lengths-sklearn.py > lengths-sklearn.json"""

import json

import numpy as np
import sklearn
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

random = np.random.default_rng(1)
X = random.normal(size=(60, 3)).round(6)
y = (np.sin(2 * X[:, 0]) + 0.3 * X[:, 1] ** 2 + 0.1 * X[:, 2] + 0.02 * random.normal(size=60)).round(6)
cases = []
for name, kernel in [("rbf", RBF([1.0] * 3, (1e-3, 1e5))), ("matern-5/2", Matern([1.0] * 3, (1e-3, 1e5), nu=2.5))]:
    whole = ConstantKernel(1.0, (1e-6, 1e6)) * kernel + WhiteKernel(1e-2, (1e-8, 10))
    found = GaussianProcessRegressor(whole, alpha=0, n_restarts_optimizer=10, random_state=0).fit(X, y)
    cases.append({
        "kernel": name,
        "log_marginal_likelihood": float(found.log_marginal_likelihood_value_),
        "log_theta": found.kernel_.theta.tolist(),
    })
print(json.dumps({"sklearn": sklearn.__version__, "X": X.tolist(), "y": y.tolist(), "cases": cases}))
