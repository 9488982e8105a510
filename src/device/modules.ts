/** Compiled modules by their bytes, for the whole process; instances by memory and module. */
const modules = new Map<string, WebAssembly.Module>();
const instances = new WeakMap<WebAssembly.Memory, Map<WebAssembly.Module, WebAssembly.Exports>>();

const compile = (bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module => {
  const content = new TextDecoder("latin1").decode(bytes);
  let module = modules.get(content);
  if (!module) modules.set(content, (module = new WebAssembly.Module(bytes)));
  return module;
};

/**
 * The exports of a module that imports `env.memory`. Equal bytes are compiled once per process (one cache per
 * thread: each thread compiles for itself) and instantiated once per memory.
 */
export const instantiate = (
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
): WebAssembly.Exports => {
  const module = compile(bytes);
  let known = instances.get(memory);
  if (!known) instances.set(memory, (known = new Map()));
  let exports = known.get(module);
  if (!exports) known.set(module, (exports = new WebAssembly.Instance(module, { env: { memory } }).exports));
  return exports;
};
