import type { Tasks } from "./device/pool.ts";
import { openProgram } from "./outside/programs.node.ts";
import { displacedTask } from "./run/displacements.ts";
import type { BuildSource } from "./run/displacements.ts";
import { relaxationsTask } from "./run/conformers/relaxations.ts";
import { imagesTask } from "./run/path/images.ts";
import { buildSource, tasks as everywhere } from "./tasks.ts";

const build: BuildSource = (source, thread) =>
  "program" in source ? openProgram(source.program) : buildSource(source, thread);

/** The same table where outside programs can be started. */
export const tasks: Tasks = {
  ...everywhere,
  "run.displaced": displacedTask(build),
  "run.images": imagesTask(build),
  "run.relaxations": relaxationsTask(build),
};
