/** The entry of a worker thread of Node. */
import { threadPort } from "./device/port.node.ts";
import { serve } from "./device/serve.ts";
import { tasks } from "./tasks.ts";

serve(tasks, threadPort());
