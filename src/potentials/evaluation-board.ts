import type { Memory } from "../device/memory.ts";
import type { Neighbours } from "../structure/neighbours.ts";
import type { Structure } from "../structure/structure.ts";
import type { Contribution, Part } from "./chunks.ts";
import type { Evaluation } from "./potential.ts";

/** Chunks that run between two additions to the whole; each has a slot of its own. Changes no bits. */
export const SLOTS = 64;

/** Words of the header: counts, flags, and the byte addresses of arrays that are moved when they must grow. */
const WORD = {
  atoms: 0,
  pairs: 1,
  /** 1, 2, 4: periodic along a, b, c; 8: has a cell; 16: atomic energies, 32: grades are wanted. */
  flags: 2,
  term: 3,
  /** First and last atom (exclusive) of the range, first chunk of this round. */
  first: 4,
  last: 5,
  chunk: 6,
  numbers: 7,
  positions: 8,
  offsets: 9,
  index: 10,
  shift: 11,
  slots: 12,
  /** Atoms that a slot has room for. */
  room: 13,
  count: 14,
} as const;
const HEADER_BYTES = 64;
/** Cell and the list's cutoff, after the words. */
const REALS = 10;
/** Energy, virial and number of atoms at the head of a slot. */
const SLOT_HEAD = 11;

/** Bytes of a slot with room for n atoms: head, forces, energies, grades, atom numbers. */
const slotBytes = (n: number): number => 8 * (SLOT_HEAD + 5 * n) + 8 * Math.ceil(n / 2);

/** What is to be evaluated and what comes out of it, in memory that all threads share. */
export class EvaluationBoard {
  readonly address: number;
  readonly #memory: Memory;
  /** Unsigned, because addresses may lie beyond 2 GiB. */
  readonly #words: Uint32Array;
  readonly #reals: Float64Array;
  /** Bytes reserved behind each address of the header; known to the writer only. */
  readonly #capacity = new Float64Array(WORD.count);

  constructor(memory: Memory, address: number) {
    this.#memory = memory;
    this.address = address;
    this.#words = new Uint32Array(memory.memory.buffer, address, WORD.count);
    this.#reals = memory.f64(address + HEADER_BYTES, REALS);
  }

  static reserve(memory: Memory): EvaluationBoard {
    return new EvaluationBoard(memory, memory.alloc(HEADER_BYTES + 8 * REALS));
  }

  /** Copies what is to be evaluated; chunks of [first, last) reach at most `room` atoms each. */
  write(
    structure: Structure,
    neighbours: Neighbours,
    [first, last]: readonly [number, number],
    room: number,
  ): void {
    const { numbers, positions, cell, pbc } = structure;
    const [words, memory] = [this.#words, this.#memory];
    const pairs = neighbours.index.length;
    words[WORD.atoms] = numbers.length;
    words[WORD.pairs] = pairs;
    words[WORD.flags] = pbc.reduce((sum, p, k) => sum + (p ? 1 << k : 0), cell ? 8 : 0);
    words[WORD.first] = first;
    words[WORD.last] = last;
    if (cell) this.#reals.set(cell);
    this.#reals[9] = neighbours.cutoff;
    memory.u8(this.#room(WORD.numbers, numbers.length), numbers.length).set(numbers);
    memory.f64(this.#room(WORD.positions, 24 * numbers.length), positions.length).set(positions);
    memory.i32(this.#room(WORD.offsets, 4 * numbers.length + 4), numbers.length + 1).set(neighbours.offsets);
    memory.i32(this.#room(WORD.index, 4 * pairs), pairs).set(neighbours.index);
    memory.i32(this.#room(WORD.shift, 12 * pairs), 3 * pairs).set(neighbours.shift);
    if (room > words[WORD.room]) words[WORD.room] = Math.ceil(1.25 * room);
    this.#room(WORD.slots, SLOTS * slotBytes(words[WORD.room]));
  }

  /** Which term's which chunks come next, and whether `out` wants atomic energies and grades. */
  order(term: number, chunk: number, out: Evaluation): void {
    this.#words[WORD.term] = term;
    this.#words[WORD.chunk] = chunk;
    this.#words[WORD.flags] =
      (this.#words[WORD.flags] & 15) | (out.energies ? 16 : 0) | (out.grades ? 32 : 0);
  }

  get term(): number {
    return this.#words[WORD.term];
  }

  get chunk(): number {
    return this.#words[WORD.chunk];
  }

  get range(): readonly [number, number] {
    return [this.#words[WORD.first], this.#words[WORD.last]];
  }

  /** Views of what is to be evaluated. */
  read(): { structure: Structure; neighbours: Neighbours } {
    const [words, memory] = [this.#words, this.#memory];
    const [n, pairs, flags] = [words[WORD.atoms], words[WORD.pairs], words[WORD.flags]];
    return {
      structure: {
        numbers: memory.u8(words[WORD.numbers], n),
        positions: memory.f64(words[WORD.positions], 3 * n),
        cell: flags & 8 ? this.#reals.subarray(0, 9) : null,
        pbc: [(flags & 1) !== 0, (flags & 2) !== 0, (flags & 4) !== 0],
      },
      neighbours: {
        cutoff: this.#reals[9],
        offsets: memory.i32(words[WORD.offsets], n + 1),
        index: memory.i32(words[WORD.index], pairs),
        shift: memory.i32(words[WORD.shift], 3 * pairs),
      },
    };
  }

  /** A zeroed slot for a part's contribution, and what writes its energy and size once it is known. */
  open(slot: number, part: Part): { out: Contribution; close: () => void } {
    const n = part.structure.numbers.length;
    const out = this.#slot(slot, n);
    for (const array of [out.forces, out.virial, out.energies, out.grades]) array?.fill(0);
    const head = this.#head(slot);
    const atoms = out.atoms!;
    if (part.atoms) atoms.set(part.atoms);
    else for (let i = 0; i < n; i++) atoms[i] = i;
    const close = () => {
      head[0] = out.energy;
      head[10] = n;
    };
    return { out, close };
  }

  /** What a closed slot holds. */
  result(slot: number): Contribution {
    const head = this.#head(slot);
    const out = this.#slot(slot, head[10]);
    out.energy = head[0];
    return out;
  }

  #slotAddress(slot: number): number {
    return this.#words[WORD.slots] + slot * slotBytes(this.#words[WORD.room]);
  }

  #head(slot: number): Float64Array {
    return this.#memory.f64(this.#slotAddress(slot), SLOT_HEAD);
  }

  #slot(slot: number, n: number): Contribution {
    const [memory, room] = [this.#memory, this.#words[WORD.room]];
    if (n > room)
      throw new Error(`a slot has room for ${room} atoms, not ${n} (this is a bug, please report it)`);
    const at = this.#slotAddress(slot) + 8 * SLOT_HEAD;
    return {
      energy: 0,
      virial: this.#head(slot).subarray(1, 10),
      forces: memory.f64(at, 3 * n),
      ...(this.#words[WORD.flags] & 16 ? { energies: memory.f64(at + 24 * room, n) } : {}),
      ...(this.#words[WORD.flags] & 32 ? { grades: memory.f64(at + 32 * room, n) } : {}),
      atoms: memory.i32(at + 40 * room, n),
    };
  }

  /** The address of the array in this word, with at least so many bytes behind it. */
  #room(word: number, bytes: number): number {
    if (this.#capacity[word] < bytes || this.#words[word] === 0) {
      this.#capacity[word] = Math.ceil(1.25 * bytes) + 64;
      this.#words[word] = this.#memory.alloc(this.#capacity[word]);
    }
    return this.#words[word];
  }
}
