type Signal = "SIGINT" | "SIGTERM";

/** Thrown by a command that stopped because it was told to, after saving what it had. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly signal: Signal;

  constructor(signal: Signal, message: string) {
    super(message);
    this.signal = signal;
  }
}

/** Where a process that another surfit has started is told which one: when that is gone, nobody waits for it. */
export const PARENT = "SURFIT_PARENT";

// Asked between steps of dynamics: the environment is slow to read.
const parent = process.env[PARENT];
const isOrphan = (): boolean => parent !== undefined && Number(parent) !== process.ppid;

/** Listens for SIGINT and SIGTERM: the first asks the command to save and stop, a second ends it at once. */
export function watchSignals(): { asked(): Signal | undefined; forget(): void } {
  let first: Signal | undefined;
  const listen = (signal: Signal) => {
    if (first) process.exit(signal === "SIGINT" ? 130 : 143);
    first = signal;
  };
  process.on("SIGINT", listen);
  process.on("SIGTERM", listen);
  return {
    asked: () => (first ??= isOrphan() ? "SIGTERM" : undefined),
    forget() {
      process.off("SIGINT", listen);
      process.off("SIGTERM", listen);
    },
  };
}
