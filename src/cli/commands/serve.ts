import type { Command } from "commander";
import { invalid } from "../../error.ts";
import { serveForces } from "../../outside/ipi-client.node.ts";
import { connect, describeAddress, readAddress } from "../../outside/ipi-stream.node.ts";
import { MODEL, positive, present, withCommons } from "../command.ts";
import { openModel, refuseStrangers } from "../engine.ts";
import { createProgress } from "../progress.ts";
import { readStructures, withUnits } from "../structures.ts";
import type { UnitFlags } from "../structures.ts";

interface Flags extends UnitFlags {
  readonly address?: string;
  readonly unix?: string;
  readonly wait: number;
  readonly timeout: number;
  readonly json?: boolean;
}

/** surfit serve: forces for i-PI, ASE's SocketIOCalculator and other drivers. */
export function define(command: Command): void {
  withUnits(
    withCommons(command, [
      ["surfit serve model.surfit atoms.xyz --address localhost:31415", "for a server that listens there"],
      ["surfit serve model.surfit atoms.xyz --unix surfit", "through the UNIX socket /tmp/ipi_surfit"],
    ]),
  )
    .argument("<model>", MODEL)
    .argument("<structure>", "file whose first frame has the server's atoms in the server's order")
    .option("--address <host:port>", "where the server listens")
    .option("--unix <name>", "UNIX socket: /tmp/ipi_<name>, or a path")
    .option("--wait <s>", "for the server to start", positive, 60)
    .option("--timeout <s>", "longest silence of the server", positive, 3600)
    .action(run);
}

async function run(modelFile: string, file: string, flags: Flags): Promise<void> {
  if ((flags.address === undefined) === (flags.unix === undefined))
    throw invalid(
      "surfit serve",
      "either --address or --unix",
      flags.address === undefined ? "neither" : "both",
    );
  const address = readAddress(
    flags.address ?? flags.unix!,
    flags.address === undefined ? "--unix" : "--address",
  );
  if (flags.address !== undefined && "path" in address)
    throw invalid("--address", "host:port", flags.address);
  const { potential } = await openModel(modelFile);
  const [{ structure, place }] = await readStructures([file], flags);
  refuseStrangers(potential, structure, place);
  const progress = createProgress();
  progress.report(`waiting up to ${flags.wait} s for a server at ${describeAddress(address)}`);
  const stream = await connect(address, flags.wait);
  progress.report(`connected to ${describeAddress(address)}`);
  try {
    const watch = ({ evaluations, energy }: { evaluations: number; energy: number }) =>
      progress.update(null, `${evaluations} evaluations, ${energy.toFixed(4)} eV`);
    const evaluations = await serveForces(stream, structure, potential, { timeout: flags.timeout, watch });
    progress.done();
    present({ text: `${evaluations} evaluations; the server said EXIT`, json: { evaluations } }, flags.json);
  } finally {
    progress.done();
    stream.close();
  }
}
