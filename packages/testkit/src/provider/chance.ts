/** Chance from a text: equal texts give equal sequences, on every machine. */
import { createHash } from 'node:crypto';

export interface Chance {
  /** A whole number from 0 to `below` - 1. */
  next(below: number): number;
}

export const fingerprint = (...facts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(facts)).digest('hex');

/** A 32-bit mixing generator (Mulberry32's constants), seeded by the first 32 bits of the fingerprint. */
export const makeChance = (seed: string): Chance => {
  let state = Number.parseInt(fingerprint(seed).slice(0, 8), 16);
  return {
    next(below) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
    },
  };
};
