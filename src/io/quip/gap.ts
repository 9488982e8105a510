import { invalid } from "../../error.ts";
import { XmlReader } from "../vasp/xml.ts";

/** One descriptor of a GAP with its representative points. */
export interface GapCoordinate {
  /** "distance_2b", "soap", … */
  readonly descriptor: string;
  /** key=value of its command line. */
  readonly options: Readonly<Record<string, string>>;
  /** δ; covariances are multiplied by its square. */
  readonly delta: number;
  /** Number of the kernel: 1 is exp(−½ Σ ((x − x_s)/θ)²), 2 is (x·x_s)^ζ. */
  readonly covariance: string;
  readonly zeta: number;
  /** Added to every value of the function; GAPs of energies have 0. */
  readonly mean: number;
  readonly dimensions: number;
  readonly theta: Float64Array;
  readonly alpha: readonly number[];
  /** f_c at each point. */
  readonly cutoffs: readonly number[];
  /** File beside the XML that holds the points, [points, dimensions]; null where they stand in the XML. */
  readonly pointsFile: string | null;
  /** The points that stand in the XML. */
  readonly points: Float64Array;
  /** Line of the file. */
  readonly line: number;
}

/** What a GAP file of QUIP says; eV, Å. */
export interface GapFile {
  /** Energy of each atom alone, by atomic number. */
  readonly e0: ReadonlyMap<number, number>;
  readonly coordinates: readonly GapCoordinate[];
}

/** Files before March 2015 mean something else by the same words. */
const OLDEST = 1426512068;

const real = (text: string | undefined, place: string): number => {
  // QUIP leaves out the 0 before a point, which is no matter here.
  const value = Number(text);
  if (text === undefined || text.trim() === "" || !Number.isFinite(value))
    throw invalid(place, "a number", text ?? "nothing");
  return value;
};

/** Words key=value without the braces or quotes that let a value hold blanks. */
function keyValues(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, key, value] of text.matchAll(/(\w+)\s*=\s*(\{+[^}]*\}+|"[^"]*"|\S+)/g))
    found[key] = value.replace(/^[{"]+|[}"]+$/g, "").trim();
  return found;
}

interface Open {
  attributes: Readonly<Record<string, string>>;
  line: number;
  theta: string;
  descriptor: string;
  alpha: number[];
  cutoffs: number[];
  points: string;
}

/** Reads the XML file of a GAP. */
export function parseGap(text: string, file: string): GapFile {
  const e0 = new Map<number, number>();
  const coordinates: GapCoordinate[] = [];
  let open: Open | null = null;
  let inside = "";
  const reader = new XmlReader(
    {
      open(name, attributes, line) {
        inside = name;
        const place = `${file}:${line}`;
        if (name === "e0") e0.set(real(attributes["Z"], place), real(attributes["value"], place));
        if (name === "Potential") demandAlone(attributes["init_args"] ?? "", `${place}: init_args`);
        if (name === "GAP_data" && /^\.?t/i.test(attributes["do_core"] ?? "F"))
          throw invalid(`${place}: do_core`, "F; potentials that a GAP adds to are not read", "T");
        if (name === "GAP_params") demandVersion(attributes["gap_version"], `${place}: gap_version`);
        if (name === "gpCoordinates")
          open = { attributes, line, theta: "", descriptor: "", alpha: [], cutoffs: [], points: "" };
        if (name === "sparseX") {
          open?.alpha.push(real(attributes["alpha"], place));
          open?.cutoffs.push(real(attributes["sparseCutoff"] ?? "1", place));
        }
      },
      text(content) {
        if (open && inside === "theta") open.theta += content;
        if (open && inside === "descriptor") open.descriptor += content;
        if (open && inside.startsWith("sparseX")) open.points += ` ${content}`;
      },
      close(name) {
        inside = "";
        if (name !== "gpCoordinates" || !open) return;
        coordinates.push(coordinateOf(open, `${file}:${open.line}`));
        open = null;
      },
    },
    file,
  );
  // The command line that made the potential stands in there, and nothing that is needed.
  reader.push(text.replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, (all) => all.replace(/[^\n]/g, "")));
  if (coordinates.length === 0) throw invalid(file, "a GAP of QUIP (gpCoordinates)", "none");
  return { e0, coordinates };
}

function demandAlone(words: string, place: string): void {
  if (!/^\s*\{*\s*IP GAP\b/.test(words))
    throw invalid(place, "IP GAP and no other potential", words || "nothing");
}

function demandVersion(text: string | undefined, place: string): void {
  const version = Number(text);
  if (!(version >= OLDEST))
    throw invalid(
      place,
      `${OLDEST} (March 2015) or later; earlier conventions are not read`,
      text ?? "nothing",
    );
}

/** Numbers between blanks. */
function numbersOf(text: string, place: string): Float64Array {
  const words = /\S+/g;
  // Files of points hold millions: no word is kept.
  let [found, count] = [new Float64Array(Math.ceil(text.length / 8) + 1), 0];
  for (let word = words.exec(text); word; word = words.exec(text)) {
    if (count === found.length) {
      const more = new Float64Array(2 * count);
      more.set(found);
      found = more;
    }
    found[count++] = real(word[0], place);
  }
  return found.slice(0, count);
}

function coordinateOf({ attributes, line, theta, descriptor, alpha, cutoffs, points }: Open, place: string) {
  const [name] = descriptor.trim().split(/\s+/);
  const pointsFile = attributes["sparseX_filename"] ?? null;
  const inline = numbersOf(points, `${place}: sparseX`);
  if (pointsFile === null && inline.length === 0)
    throw invalid(`${place}: sparseX_filename`, "the name of a file of points, or points", "nothing");
  return {
    descriptor: name,
    options: keyValues(descriptor),
    delta: real(attributes["signal_variance"], `${place}: signal_variance`),
    covariance: attributes["covariance_type"] ?? "1",
    zeta: real(attributes["zeta"] ?? "1", `${place}: zeta`),
    mean: real(attributes["signal_mean"] ?? "0", `${place}: signal_mean`),
    dimensions: real(attributes["dimensions"], `${place}: dimensions`),
    theta: numbersOf(theta, `${place}: theta`),
    alpha,
    cutoffs,
    pointsFile,
    points: inline,
    line,
  };
}

/** The points of a coordinate, [points, dimensions]; `files` holds those beside the XML by name. */
export function pointsOf(
  { pointsFile, points, alpha, dimensions }: GapCoordinate,
  files: Readonly<Record<string, string>>,
  place: string,
): Float64Array {
  if (pointsFile !== null && !Object.hasOwn(files, pointsFile))
    throw invalid(`${place}: sparseX_filename`, "a file beside it", pointsFile);
  const found = pointsFile === null ? points : numbersOf(files[pointsFile], pointsFile);
  if (found.length !== alpha.length * dimensions)
    throw invalid(
      pointsFile ?? `${place}: sparseX`,
      `${alpha.length} points of ${dimensions}`,
      `${found.length} numbers`,
    );
  return found;
}
