/**
 * A client of the i-PI protocol around PySCF (Q. Sun et al., J. Chem. Phys. 153, 024109 (2020), DOI 10.1063/5.0006074):
 * energies, analytic gradients and dipole moments of molecules. Arguments: socket, method, basis, charge, 2S, symbols. What
 * goes wrong is left in the file `<socket>.error`.
 */
export const PYSCF_DRIVER = `
import json, socket, struct, sys
import numpy as np
from pyscf import gto, scf, dft, lib
lib.num_threads(1)
path, method, basis, charge, spin, symbols = sys.argv[1:7]
symbols = symbols.split(",")
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect(path)
def take(n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece: sys.exit(0)
        data += piece
    return data
say = lambda word: s.sendall(word.encode().ljust(12))
density, answer = None, None
try:
    while True:
        word = take(12).strip()
        if word == b"EXIT": break
        elif word == b"STATUS": say("HAVEDATA" if answer else "READY")
        elif word == b"INIT":
            take(struct.unpack("<ii", take(8))[1])
        elif word == b"POSDATA":
            take(144); n = struct.unpack("<i", take(4))[0]
            x = np.frombuffer(take(24 * n)).reshape(n, 3)
            mol = gto.M(atom=list(zip(symbols, x)), basis=basis, charge=int(charge), spin=int(spin), unit="Bohr", verbose=0)
            if method == "hf": mf = scf.RHF(mol) if mol.spin == 0 else scf.UHF(mol)
            else:
                mf = dft.RKS(mol) if mol.spin == 0 else dft.UKS(mol)
                mf.xc = method
                mf.grids.level = 4
            mf.conv_tol = 1e-11
            mf.conv_tol_grad = 1e-7
            mf.kernel(density)
            if not mf.converged: raise RuntimeError("the SCF did not converge")
            density = mf.make_rdm1()
            grad = mf.nuc_grad_method()
            if method != "hf": grad.grid_response = True
            told = json.dumps({"dipole": mf.dip_moment(unit="AU", verbose=0).tolist()}).encode()
            answer = struct.pack("<di", mf.e_tot, n) + (-grad.kernel()).tobytes() + bytes(72) + struct.pack("<i", len(told)) + told
        elif word == b"GETFORCE":
            say("FORCEREADY"); s.sendall(answer); answer = None
        else: raise RuntimeError("unknown message %r" % word)
except Exception as error:
    with open(path + ".error", "w") as file: file.write(" ".join(str(error).split()))
    sys.exit(1)
`;
