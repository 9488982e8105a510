import { createReadStream, existsSync, statSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { invalid } from "../error.ts";
import type { Frame } from "../structure/structure.ts";
import type { ByteStream, Format, ReadOptions } from "./format.ts";
import { gzip, isGzip } from "./gzip.ts";
import { KeySurvey } from "./label-keys.ts";
import { applyLabels, planLabels } from "./labels.ts";
import type { LabelOptions, LabelPlan } from "./labels.ts";
import { isArrayFolder, packFolder } from "./npy-folder.node.ts";
import { npz } from "./npz.ts";
import { findFormat, findWriter } from "./table.ts";

/**
 * Frames of a file as they stand in it (its own keys and units), one at a time, .gz or not; format by the ending. A
 * folder stands for all files in it and below, in the order of their names, and gives its name to frames without
 * config_type; a folder of .npy files is one archive.
 */
export async function* readFrames(
  path: string,
  format?: string,
  options?: ReadOptions,
): AsyncGenerator<Frame, void, undefined> {
  if (isFolder(path)) {
    if (isArrayFolder(path)) yield* npz.read!(packFolder(path), path);
    else
      for (const file of await filesOf(path))
        for await (const frame of readFrames(file, format, options))
          yield inGroup(frame, basename(dirname(file)));
  } else {
    if (!existsSync(path)) throw invalid(path, "a file", "nothing of that name");
    const { read, name } = findFormat(path, format);
    if (!read) throw invalid(path, "a format that can be read", name);
    yield* read(readPlain(path), path, options);
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Files of a folder and below, in the order of their paths; hidden ones do not count. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  const seen = files.filter((file) => !/(^|\/)\./.test(file.slice(folder.length)));
  if (seen.length === 0) throw invalid(folder, "files of frames", "none in this folder");
  return seen.toSorted();
}

const inGroup = (frame: Frame, name: string): Frame =>
  Object.keys(frame.info).some((key) => /config_?types?$/i.test(key))
    ? frame
    : { ...frame, info: { ...frame.info, config_type: name } };

/** The format of a file, or the one format of all files in a folder. */
export async function formatOf(path: string): Promise<Format> {
  if (!isFolder(path)) return findFormat(path);
  if (isArrayFolder(path)) return npz;
  const found = new Set((await filesOf(path)).map((file) => findFormat(file)));
  const [format] = found;
  if (found.size > 1)
    throw invalid(path, "files of one format in a folder", [...found].map(({ name }) => name).join(", "));
  return format;
}

/** Bytes of a file, uncompressed when it is gzip (several gzip files in one included; length and CRC are checked). */
async function* readPlain(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  let packed = false;
  for await (const piece of readBytes(path)) {
    packed = isGzip(piece);
    break;
  }
  yield* packed ? unpack(path) : readBytes(path);
}

async function* unpack(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  // Errors and early ends go through the pipeline in both directions; its callback has nothing to add.
  const plain = pipeline(createReadStream(path, { highWaterMark: 1 << 18 }), createGunzip(), () => undefined);
  try {
    yield* plain as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith("Z_")) throw error;
    throw invalid(path, "a whole gzip file", `damaged or truncated data (${(error as Error).message})`);
  }
}

/** Bytes of a file in pieces; a file that cannot be opened is an InputError. */
export async function* readBytes(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw invalid(path, "a file", "nothing of that name");
    if (code === "EISDIR") throw invalid(path, "a file", "a folder");
    if (code === "EACCES") throw invalid(path, "a readable file", "no permission");
    throw error;
  }
}

/** A file's frames with labels in internal units, all in memory, and how they were found. */
export interface LabelledFrames {
  readonly frames: Frame[];
  readonly plan: LabelPlan;
  /** Unfinished steps that were left out, one sentence each. */
  readonly left: readonly string[];
}

/** How a file and its labels are read. */
export interface FileOptions extends LabelOptions {
  /** Leave out the steps that a calculation has not finished, and say so. */
  readonly skip?: boolean;
  /** Elements of the kinds of atoms that a format only numbers. */
  readonly types?: readonly string[];
}

/** What readers are told; where unfinished steps are left out each is noted, otherwise they are errors. */
export const readingOf = ({ skip, types }: FileOptions, notes: string[]): ReadOptions => ({
  ...(skip && {
    skipped: ({ place, found }) => notes.push(`left out, as it is not finished: ${place} (${found})`),
  }),
  ...(types && { types }),
});

/** Reads a whole file, finds its labels (see planLabels) and converts them to internal units. */
export async function readLabelled(path: string, options: FileOptions = {}): Promise<LabelledFrames> {
  const survey = new KeySurvey();
  const raw: Frame[] = [];
  const left: string[] = [];
  for await (const frame of readFrames(path, undefined, readingOf(options, left))) {
    survey.add(frame);
    raw.push(frame);
  }
  if (raw.length === 0) throw invalid(path, "at least one frame", "an empty file");
  const unitsRequired = !(await formatOf(path)).statesUnits;
  const plan = planLabels(survey, { unitsRequired, ...options }, path);
  return { frames: raw.map((frame) => applyLabels(frame, plan)), plan, left };
}

/** Writes frames to a file, format and compression by the ending, whole or not at all. */
export async function writeFrames(
  path: string,
  frames: AsyncIterable<Frame> | Iterable<Frame>,
): Promise<void> {
  const bytes = findWriter(path).write(frames);
  await writeAtomically(path, path.toLowerCase().endsWith(".gz") ? gzip(bytes) : bytes);
}

/** Writes to a temporary file beside the target, flushes it to the disk, then renames: never half a file. Makes its folder on the way. */
export async function writeAtomically(path: string, chunks: ByteStream): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  await mkdir(dirname(path), { recursive: true });
  try {
    const handle = await open(temporary, "w");
    try {
      for await (const chunk of chunks) await writeAll(handle, chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten;
}
