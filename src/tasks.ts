import type { Tasks } from "./device/pool.ts";
import { gradientDomainTask } from "./fit/gradient-domain/task.ts";
import { gradientTask } from "./fit/gradient-task.ts";
import { covarianceTask } from "./fit/kalman/covariance-task.ts";
import { deviationTask } from "./fit/least-squares/deviation-task.ts";
import { leftOutTask } from "./fit/least-squares/predict-task.ts";
import { blockTask } from "./fit/least-squares/normal/task.ts";
import { rowsTask } from "./fit/least-squares/task.ts";
import { normalTask } from "./fit/marquardt/normal.ts";
import { choleskyTask } from "./math/pool-cholesky.ts";
import { buildPotential, buildTrainable } from "./potentials/build.ts";
import { covarianceTask as processTask } from "./regressors/gaussian-process/task.ts";
import { evaluateTask } from "./potentials/parallel.ts";
import { displacedTask } from "./run/displacements.ts";
import type { BuildSource } from "./run/displacements.ts";
import { relaxationsTask } from "./run/conformers/relaxations.ts";
import { imagesTask } from "./run/path/images.ts";

/** The potential of a model; outside programs are Node's (tasks.node.ts). */
export const buildSource: BuildSource = (source, { device }) => {
  if ("model" in source) return buildPotential(source.model, device);
  throw new TypeError(`this worker cannot start the program ${source.program}`);
};

/** The work that threads know how to do, by name: the same table on the caller's thread and in every worker. */
export const tasks: Tasks = {
  "fit.gradient-domain": gradientDomainTask,
  "fit.gradient": gradientTask(buildTrainable),
  "fit.covariance": covarianceTask,
  "fit.normal": normalTask,
  "fit.block": blockTask(buildTrainable),
  "fit.rows": rowsTask(buildTrainable),
  "fit.left-out": leftOutTask(buildTrainable),
  "fit.deviation": deviationTask(buildTrainable),
  "gaussian-process.covariance": processTask,
  "math.cholesky": choleskyTask,
  "potential.evaluate": evaluateTask,
  "run.displaced": displacedTask(buildSource),
  "run.images": imagesTask(buildSource),
  "run.relaxations": relaxationsTask(buildSource),
};
