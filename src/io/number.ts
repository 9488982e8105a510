const POWERS = Float64Array.from({ length: 23 }, (_, k) => Number(`1e${k}`));
// Largest mantissa to which one more digit can be added without passing 2^53.
const ROOM = 900719925474098;

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const FORTRAN = /^([+-]?(?:\d+\.?\d*|\.\d+))d([+-]?\d+)$/i;
const SPECIAL: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, infinity: Infinity };

/**
 * The number that a text says, as C, Fortran (exponent D) and Python (nan, inf) write it; undefined when it says none.
 */
export function numberFrom(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  const fortran = FORTRAN.exec(text);
  if (fortran) return Number(`${fortran[1]}e${fortran[2]}`);
  const sign = text.startsWith("-") ? -1 : 1;
  const special = SPECIAL[text.replace(/^[+-]/, "").toLowerCase()];
  return special === undefined ? undefined : sign * special;
}

/** Words of one line of bytes, read from left to right; lines end before `end`. */
export class Words {
  bytes: Uint8Array = new Uint8Array(0);
  /** First byte of the word last read. */
  start = 0;
  /** First byte not read yet. */
  position = 0;
  end = 0;

  set(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.position = this.start = start;
    this.end = end;
  }

  /** Moves to the next word without reading it; false at the end of the line. */
  more(): boolean {
    const { bytes, end } = this;
    let p = this.position;
    while (p < end && bytes[p] <= 32) p++;
    this.position = this.start = p;
    return p < end;
  }

  /** Skips the word that `more` has found. */
  skip(): void {
    const { bytes, end } = this;
    let p = this.position;
    while (p < end && bytes[p] > 32) p++;
    this.position = p;
  }

  /** The word that `more` has found. */
  text(): string {
    this.skip();
    return decoder.decode(this.bytes.subarray(this.start, this.position));
  }

  /**
   * The number that `more` has found, exactly as Number() reads it; undefined when it is none. Up to 15 digits and
   * powers of ten up to 22 are exact in binary64, so one product or quotient rounds once (W. D. Clinger, PLDI 1990,
   * DOI 10.1145/93542.93557); up to 30 digits go through `twofold`, everything else through Number().
   */
  number(): number | undefined {
    const { bytes, end } = this;
    let p = this.position;
    const negative = bytes[p] === 45;
    if (negative || bytes[p] === 43) p++;
    let mantissa = 0;
    let tail = 0;
    let extra = 0;
    let digits = 0;
    let point = -1;
    let b = p < end ? bytes[p] : 32;
    for (; ; b = ++p < end ? bytes[p] : 32) {
      if (b >= 48 && b <= 57) {
        digits++;
        if (mantissa <= ROOM) mantissa = mantissa * 10 + (b - 48);
        else {
          tail = tail * 10 + (b - 48);
          extra++;
        }
      } else if (b === 46 && point < 0) point = digits;
      else break;
    }
    if (digits === 0 || extra > 15) return this.#slow();
    let exponent = 0;
    if (b === 101 || b === 69 || b === 100 || b === 68) {
      b = ++p < end ? bytes[p] : 32;
      const down = b === 45;
      if (down || b === 43) b = ++p < end ? bytes[p] : 32;
      const first = p;
      for (; b >= 48 && b <= 57; b = ++p < end ? bytes[p] : 32) exponent = exponent * 10 + (b - 48);
      if (p === first) return this.#slow();
      if (down) exponent = -exponent;
    }
    if (point >= 0) exponent -= digits - point;
    if (b > 32 || exponent > 22 || exponent < -22) return this.#slow();
    let x = exponent < 0 ? mantissa / POWERS[-exponent] : mantissa * POWERS[exponent];
    if (extra > 0) {
      x = twofold(mantissa, tail, POWERS[extra], exponent);
      if (Number.isNaN(x)) return this.#slow();
    }
    this.position = p;
    return negative ? -x : x;
  }

  #slow(): number | undefined {
    this.skip();
    // Numbers are ASCII; anything else becomes characters that no number has.
    return numberFrom(
      String.fromCharCode(...this.bytes.subarray(this.start, Math.min(this.position, this.start + 400))),
    );
  }
}

const decoder = new TextDecoder();

/** Rounding error of the product a·b, exactly: a·b = fl(a·b) + error (T. J. Dekker, DOI 10.1007/BF01397083). */
function productError(a: number, b: number, product: number): number {
  let t = 134217729 * a;
  const ah = t - (t - a);
  const al = a - ah;
  t = 134217729 * b;
  const bh = t - (t - b);
  const bl = b - bh;
  return al * bl - (product - ah * bh - al * bh - ah * bl);
}

/**
 * (mantissa · scale + tail) · 10^exponent in twofold precision, rounded to the nearest; NaN when the result is too close
 * to the middle of two numbers to tell, which happens about once in 2^45 times.
 */
function twofold(mantissa: number, tail: number, scale: number, exponent: number): number {
  const product = mantissa * scale;
  const high = product + tail;
  const low = tail - (high - product) + productError(mantissa, scale, product);
  const power = POWERS[Math.abs(exponent)];
  let x: number;
  let rest: number;
  if (exponent < 0) {
    x = high / power;
    const back = x * power;
    rest = (high - back - productError(x, power, back) + low) / power;
  } else {
    x = high * power;
    rest = productError(high, power, x) + low * power;
  }
  const doubt = Math.abs(x) * 2 ** -98;
  const result = x + (rest - doubt);
  return result === x + (rest + doubt) ? result : NaN;
}
