import { duration } from "./table.ts";

/** Where a command tells how far it is: stderr, so that stdout stays free for the result. */
export interface Progress {
  /** Replaces the one moving line of a terminal; nothing where the output is piped. */
  update(fraction: number, text: string): void;
  /** One lasting line, greppable in a log. */
  report(line: string): void;
  /** One of many lines: at most one in two seconds where the output is piped, all of them kept out of a terminal. */
  entry(line: string): void;
  /** Clears the moving line. */
  done(): void;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Progress on a stream: one line with the time left on a terminal, plain lines elsewhere. */
export function createProgress(stream: Stream = process.stderr, now: () => number = Date.now): Progress {
  const start = now();
  let last = 0;
  let entered = 0;
  let shown = false;
  const clear = () => {
    if (shown) stream.write("\r\u001b[2K");
    shown = false;
  };
  return {
    update(fraction, text) {
      if (!stream.isTTY || now() - last < 100) return;
      last = now();
      const elapsed = (last - start) / 1000;
      const left = fraction > 0.005 ? `${duration((elapsed / fraction) * (1 - fraction))} left` : "";
      const line = `${(100 * fraction).toFixed(0).padStart(3)} %  ${text}  ${left}`;
      stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
      shown = true;
    },
    report(line) {
      clear();
      stream.write(`${line}\n`);
    },
    entry(line) {
      if (stream.isTTY || now() - entered < 2000) return;
      entered = now();
      stream.write(`${line}\n`);
    },
    done: clear,
  };
}
