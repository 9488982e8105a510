import type { Device } from "../../device/device.ts";
import { Room } from "../density/room.ts";
import type { Descriptor, Features } from "../descriptor.ts";
import type { Environments } from "../environments.ts";
import type { Expansion } from "./expansion.ts";
import type { PowerSpectrum } from "./power.ts";
import { SpectrumRows } from "./rows.ts";

/** Bytes of A that are kept from forward to pullback. */
const KEPT = 2 ** 24;

/** The power spectrum of every atom: the same features for centres of every element. */
export class SoapDescriptor implements Descriptor {
  readonly cutoff: number;
  readonly smoothness: number;
  readonly elements: readonly number[];
  readonly #expansion: Expansion;
  readonly #power: PowerSpectrum;
  readonly #labels: readonly string[];
  readonly #A: Room;
  readonly #dA: Room;
  readonly #kept: Room;
  readonly #rows: SpectrumRows;
  /** Whose A are kept. */
  #of: Environments | null = null;

  constructor(
    shape: Pick<Descriptor, "cutoff" | "smoothness" | "elements">,
    expansion: Expansion,
    power: PowerSpectrum,
    labels: readonly string[],
    device: Device,
  ) {
    this.cutoff = shape.cutoff;
    this.smoothness = shape.smoothness;
    this.elements = shape.elements;
    this.#expansion = expansion;
    this.#power = power;
    this.#labels = labels;
    [this.#A, this.#dA, this.#kept] = [0, 1, 2].map(() => new Room(device.memory));
    this.#rows = new SpectrumRows(expansion, power, device);
  }

  size(): number {
    return this.#power.size;
  }

  labels(): readonly string[] {
    return this.#labels;
  }

  /** Centres with their element and the byte offset of their features. */
  #each(env: Environments, visit: (c: number, e: number, offset: number) => void): void {
    for (let e = 0; e < this.elements.length; e++)
      for (let c = env.starts[e]; c < env.starts[e + 1]; c++)
        visit(c, e, 8 * (c - env.starts[e]) * this.#power.size);
  }

  forward(env: Environments, G: Features): void {
    const { size } = this.#expansion;
    const keep = 8 * size * env.count <= KEPT;
    this.#of = keep ? env : null;
    const room = keep ? this.#kept.at(size * env.count) : this.#A.at(size);
    this.#each(env, (c, e, offset) => {
      const A = keep ? room + 8 * c * size : room;
      this.#expansion.collect(env, c, e, A);
      this.#power.value(A, G.pointers[e] + offset);
    });
  }

  /** A of a centre. */
  #collected(env: Environments, c: number, e: number): number {
    const { size } = this.#expansion;
    if (this.#of === env) return this.#kept.address + 8 * c * size;
    const A = this.#A.at(size);
    this.#expansion.collect(env, c, e, A);
    return A;
  }

  pullback(env: Environments, dEdG: Features, gradient: Float64Array): void {
    const dA = this.#dA.at(this.#expansion.size);
    this.#each(env, (c, e, offset) => {
      this.#power.adjoint(this.#collected(env, c, e), dEdG.pointers[e] + offset, dA);
      this.#expansion.pullback(env, c, dA, gradient);
    });
  }

  pushforward(env: Environments, tangents: Float64Array, dG: Features): void {
    const { size } = this.#expansion;
    const [A, dA] = [this.#A.at(size), this.#dA.at(size)];
    this.#each(env, (c, e, offset) => {
      this.#expansion.collect(env, c, e, A);
      this.#expansion.pushforward(env, c, tangents, dA);
      this.#power.tangent(A, dA, dG.pointers[e] + offset);
    });
  }

  jacobian(env: Environments, c: number, rows: Float64Array): void {
    let e = 0;
    while (env.starts[e + 1] <= c) e++;
    const A = this.#A.at(this.#expansion.size);
    this.#expansion.collect(env, c, e, A);
    this.#rows.fill(env, c, A, rows);
  }
}
