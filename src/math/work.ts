/** A long computation that gives way now and then: it yields several times a second, and returns what it found. */
export type Work<T> = Generator<void, T>;

/** Does all of it without giving way. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
