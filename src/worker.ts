/** The entry of a worker of a browser. */
import { serve } from "./device/serve.ts";
import { workerPort } from "./device/start.ts";
import { tasks } from "./tasks.ts";

serve(tasks, workerPort());
