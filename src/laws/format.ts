import { InputError } from "../error.ts";
import type { Format } from "../io/format.ts";
import { KeySurvey } from "../io/label-keys.ts";
import { applyLabels, planLabels } from "../io/labels.ts";
import type { Frame } from "../structure/structure.ts";

/** What is compared: everything but the place, as far as the format carries it. */
type Content = Record<string, unknown>;

function content(frame: Frame, carries: readonly string[]): Content {
  const { structure, energy, forces, stress, configType, info, arrays } = frame;
  const of: Record<string, unknown> = { energy, forces, stress, config_type: configType, info, arrays };
  const out: Content = { numbers: structure.numbers, positions: structure.positions };
  if (carries.includes("cell")) out.cell = structure.cell;
  if (carries.includes("pbc")) out.pbc = structure.pbc;
  for (const name of Object.keys(of)) if (carries.includes(name)) out[name] = of[name];
  return out;
}

/** First difference of two values, every bit of a number counted (NaN equals NaN, −0 is not 0); null when equal. */
function difference(a: unknown, b: unknown, path: string): string | null {
  if (Object.is(a, b)) return null;
  const objects = typeof a === "object" && typeof b === "object" && a !== null && b !== null;
  if (!objects) return `${path}: ${String(a)} became ${String(b)}`;
  if (a.constructor !== b.constructor && (ArrayBuffer.isView(a) || ArrayBuffer.isView(b)))
    return `${path}: ${a.constructor.name} became ${b.constructor.name}`;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = new Set([...Object.keys(x), ...Object.keys(y)]);
  for (const key of keys) {
    const d = difference(x[key], y[key], `${path}.${key}`);
    if (d !== null) return d;
  }
  return null;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

async function bytesOf(format: Format, frames: readonly Frame[]): Promise<Uint8Array> {
  if (!format.write) throw new Error(`${format.name} cannot be written`);
  const pieces = await collect(format.write(frames));
  const out = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

async function framesOf(format: Format, bytes: Uint8Array, piece: number): Promise<Frame[]> {
  if (!format.read) throw new Error(`${format.name} cannot be read`);
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.slice(at, at + piece);
  };
  return collect(format.read(pieces(), `law.${format.name}`));
}

/** Finds the labels of what was read under the names that the format writes. */
function labelled(raw: readonly Frame[], written: readonly Frame[], carries: readonly string[]): Frame[] {
  const survey = new KeySurvey();
  for (const frame of raw) survey.add(frame);
  const key = (name: keyof Frame, own: string) =>
    carries.includes(own) && written.some((f) => f[name] !== undefined) ? own : null;
  const keys = {
    energy: key("energy", "energy"),
    forces: key("forces", "forces"),
    stress: key("stress", "stress"),
    configType: key("configType", "config_type"),
    gradient: null,
    virial: null,
  };
  const plan = planLabels(survey, { keys }, "law");
  return raw.map((frame) => applyLabels(frame, plan));
}

function same(
  frames: readonly Frame[],
  back: readonly Frame[],
  carries: readonly string[],
  what: string,
): void {
  if (back.length !== frames.length)
    throw new Error(`${what}: ${frames.length} frames became ${back.length}`);
  for (const [k, frame] of frames.entries()) {
    const d = difference(content(frame, carries), content(back[k], carries), `frame ${k}`);
    if (d !== null) throw new Error(`${what}: ${d}`);
  }
}

/** Write → read gives the frames as the format has them, to the bit, in one piece and byte by byte; the input stays as it was. */
export async function roundTrip(format: Format, frames: readonly Frame[]): Promise<void> {
  const before = structuredClone(frames);
  const bytes = await bytesOf(format, frames);
  same(
    before,
    frames,
    ["cell", "pbc", "energy", "forces", "stress", "config_type", "info", "arrays"],
    "writing changed its input",
  );
  const held = frames.map((frame) => format.adapt?.(frame) ?? frame);
  for (const piece of [bytes.length + 1, 1, 17]) {
    const back = labelled(await framesOf(format, bytes, piece), frames, format.carries);
    same(held, back, format.carries, `read in pieces of ${piece}`);
  }
}

/** Writing what was read gives the same bytes: nothing is lost on the way through a program. */
export async function stable(format: Format, frames: readonly Frame[]): Promise<void> {
  const bytes = await bytesOf(format, frames);
  const again = await bytesOf(format, labelled(await framesOf(format, bytes, 4096), frames, format.carries));
  const d = difference([...bytes], [...again], "byte");
  if (d !== null) throw new Error(`written again: ${d}`);
}

/** A file cut off at the end of any line of its last frame is refused with its name, never read as fewer atoms. */
export async function refusesTruncation(format: Format, frames: readonly Frame[]): Promise<void> {
  const all = await bytesOf(format, frames);
  const kept = (await bytesOf(format, frames.slice(0, -1))).length;
  for (let at = all.indexOf(10, kept) + 1; at > 0 && at < all.length; at = all.indexOf(10, at) + 1) {
    const error = await framesOf(format, all.subarray(0, at), 4096).then(
      (read) => `read ${read.length} of ${frames.length} frames`,
      (e: unknown) =>
        e instanceof InputError && e.message.includes(`law.${format.name}`) ? null : `threw ${String(e)}`,
    );
    if (error !== null)
      throw new Error(
        `cut after ${at} of ${all.length} bytes: expected an InputError with the file's name, ${error}`,
      );
  }
}
