import { duration } from "./table.ts";

/** Where a command tells how far it is: stderr, so that stdout stays free for the result. */
export interface Progress {
  /**
   * Replaces the one moving line of a terminal; a plain line after every ten seconds of silence where the output is
   * piped. The fraction is null where the end is not known; seconds left are told from it where they are not given.
   */
  update(fraction: number | null, text: string, seconds?: number | null): void;
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

/** Milliseconds without a line, after which a piped output gets one. */
const SILENCE = 10_000;

/** Progress on a stream: one line with the time left on a terminal, plain lines elsewhere. */
export function createProgress(stream: Stream = process.stderr, now: () => number = Date.now): Progress {
  const start = now();
  let last = 0;
  // Where the output is piped: when the last line was written.
  let written = start;
  let entered = 0;
  let shown = false;
  const clear = () => {
    if (shown) stream.write("\r\u001b[2K");
    shown = false;
  };
  const write = (line: string) => {
    written = now();
    stream.write(`${line}\n`);
  };
  return {
    update(fraction, text, seconds) {
      if (stream.isTTY ? now() - last < 100 : now() - written < SILENCE) return;
      last = now();
      const elapsed = (last - start) / 1000;
      const done = fraction === null ? "" : `${(100 * fraction).toFixed(0).padStart(3)} %  `;
      const told = seconds ?? (fraction && fraction > 0.005 ? (elapsed / fraction) * (1 - fraction) : null);
      const left = told === null ? "" : `  ${duration(told)} left`;
      const line = `${done}${text}${left}`;
      if (!stream.isTTY) return write(line.trim());
      stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
      shown = true;
    },
    report(line) {
      clear();
      write(line);
    },
    entry(line) {
      if (stream.isTTY || now() - entered < 2000) return;
      entered = now();
      write(line);
    },
    done: clear,
  };
}
