import type { Device } from "../../device/device.ts";
import { invalid } from "../../error.ts";
import { validate } from "../../schema.ts";
import type { PairStatistics } from "../../structure/statistics.ts";
import { array, enum as oneOf, looseObject, strictObject, string } from "../../zod.ts";
import type { Descriptor, DescriptorMethod, FeaturePart, Features } from "../descriptor.ts";
import type { Environments } from "../environments.ts";
import type { output } from "zod";

const options = strictObject({
  parts: array(looseObject({ name: string() }))
    .min(1)
    .prefault([{ name: "distance-2b" }, { name: "angle-3b" }, { name: "soap", lmax: 6 }])
    .meta({ help: "Descriptors, each with its name and options; their features stand side by side" }),
  size: oneOf(["small", "medium", "large"])
    .optional()
    .meta({ help: "What auto makes of every part that says nothing else" }),
});

export type JoinedOptions = output<typeof options>;

/** Descriptors side by side, made of those of a table. */
export function joined(table: Readonly<Record<string, DescriptorMethod>>): DescriptorMethod<JoinedOptions> {
  const methodOf = (name: string, k: number) => {
    if (Object.hasOwn(table, name)) return table[name];
    throw invalid(`joined.parts[${k}].name`, `one of ${Object.keys(table).join(", ")}`, name);
  };
  const parsed = ({ name, ...own }: JoinedOptions["parts"][number], k: number, size?: string) => {
    const method = methodOf(name, k);
    const given = size !== undefined && !("size" in own) ? { size, ...own } : own;
    return { method, own: validate(method.options, given, `joined.parts[${k}]`) };
  };
  return {
    name: "joined",
    summary: "Several descriptors side by side: two-body, three-body and many-body terms of one model",
    options,
    resolve: ({ parts, size }: JoinedOptions, statistics: PairStatistics) => ({
      parts: parts.map((part, k) => {
        const { method, own } = parsed(part, k, size);
        return { name: part.name, ...(method.resolve(own, statistics) as object) };
      }),
    }),
    build: ({ parts }, elements, device) =>
      new Joined(
        parts.map((part, k) => {
          const { method, own } = parsed(part, k);
          return method.build(own, elements, device);
        }),
        parts.map(({ name }) => name),
        elements,
        device,
      ),
  };
}

/** Features of one part, in a buffer of its own. */
class Joined implements Descriptor {
  readonly cutoff: number;
  readonly smoothness: number;
  readonly elements: readonly number[];
  readonly #parts: readonly Descriptor[];
  readonly #names: readonly string[];
  readonly #device: Device;
  readonly #sizes: readonly number[];
  /** Byte address of the room for the features of one part, and how many numbers it holds. */
  #room = 0;
  #capacity = 0;

  constructor(
    parts: readonly Descriptor[],
    names: readonly string[],
    elements: readonly number[],
    device: Device,
  ) {
    this.#parts = parts;
    this.#names = names;
    this.#device = device;
    this.elements = elements;
    this.cutoff = Math.max(...parts.map((d) => d.cutoff));
    this.smoothness = Math.min(...parts.map((d) => d.smoothness));
    this.#sizes = elements.map((_, e) => parts.reduce((n, d) => n + d.size(e), 0));
  }

  size(e: number): number {
    return this.#sizes[e];
  }

  labels(e: number): readonly string[] {
    return this.#parts.flatMap((d) => d.labels(e));
  }

  parts(e: number): readonly FeaturePart[] {
    return this.#parts.flatMap((d, k) => d.parts?.(e) ?? [{ name: this.#names[k], size: d.size(e) }]);
  }

  /** Calls `use` with every part, room for its features, and where they stand in a row of each element. */
  #each(G: Features, use: (part: Descriptor, own: Features, first: readonly number[]) => void): void {
    const first = this.elements.map(() => 0);
    for (const part of this.#parts) {
      const sizes = this.elements.map((_, e) => part.size(e));
      use(part, this.#reserve(G.counts, sizes), first);
      sizes.forEach((size, e) => (first[e] += size));
    }
  }

  #reserve(counts: readonly number[], sizes: readonly number[]): Features {
    const { memory } = this.#device;
    const total = counts.reduce((n, count, e) => n + count * sizes[e], 0);
    if (total > this.#capacity) {
      this.#capacity = Math.ceil(1.5 * total);
      this.#room = memory.alloc(8 * this.#capacity);
    }
    let at = this.#room;
    const pointers = counts.map((count, e) => {
      const here = at;
      at += 8 * count * sizes[e];
      return here;
    });
    return { counts, pointers, matrices: counts.map((n, e) => memory.f64(pointers[e], n * sizes[e])) };
  }

  /** Columns of a part in or out of the whole rows. */
  #copy(whole: Features, own: Features, part: Descriptor, first: readonly number[], into: boolean): void {
    own.matrices.forEach((matrix, e) => {
      const [size, width] = [part.size(e), this.#sizes[e]];
      for (let c = 0; c < own.counts[e]; c++) {
        const [from, to] = [c * size, c * width + first[e]];
        if (into) whole.matrices[e].set(matrix.subarray(from, from + size), to);
        else matrix.set(whole.matrices[e].subarray(to, to + size), from);
      }
    });
  }

  forward(env: Environments, G: Features): void {
    this.#each(G, (part, own, first) => {
      part.forward(env, own);
      this.#copy(G, own, part, first, true);
    });
  }

  pullback(env: Environments, dEdG: Features, gradient: Float64Array): void {
    this.#each(dEdG, (part, own, first) => {
      this.#copy(dEdG, own, part, first, false);
      part.pullback(env, own, gradient);
    });
  }

  pushforward(env: Environments, tangents: Float64Array, dG: Features): void {
    this.#each(dG, (part, own, first) => {
      part.pushforward(env, tangents, own);
      this.#copy(dG, own, part, first, true);
    });
  }

  jacobian(env: Environments, c: number, rows: Float64Array): void {
    const S = this.elements.length;
    const width = 3 * (env.offsets[(c + 1) * S] - env.offsets[c * S]);
    let e = 0;
    while (env.starts[e + 1] <= c) e++;
    let at = 0;
    for (const part of this.#parts) {
      const end = at + part.size(e) * width;
      part.jacobian(env, c, rows.subarray(at, end));
      at = end;
    }
  }
}
