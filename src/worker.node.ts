/** The entry of a worker thread of Node. */
import { threadPort } from "./device/port.node.ts";
import { serve } from "./device/serve.ts";
import { tasks } from "./tasks.node.ts";

serve(tasks, threadPort());
