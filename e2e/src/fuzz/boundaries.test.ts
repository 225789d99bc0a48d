/**
 * Bad bytes at every door: each reader refuses in its own words or accepts something sound, changes nothing, and never
 * fails in another way. `FUZZ_ROUNDS=100000` digs deeper (`make test-fuzz`); `FUZZ_SEED` throws the dice anew.
 */
import { describe, expect, it } from '@jest/globals';
import { makeDice } from '../testing/dice.ts';
import { BOUNDARIES, type Boundary } from './boundaries.ts';
import { mutated } from './mutate.ts';

const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 1_500);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const SHOWN_BYTES = 600;

const roundsOf = ({ share = 100 }: Boundary): number => Math.max(20, Math.ceil((ROUNDS * share) / 100));

const tryOnce = ({ refusals, read }: Boundary, bytes: Buffer): unknown => {
  try {
    read(bytes);
    return null;
  } catch (error) {
    return refusals.some((refusal) => error instanceof refusal) ? null : error;
  }
};

/** The world that a reader could have changed. */
const traces = (): string =>
  JSON.stringify([
    Object.getOwnPropertyNames(Object.prototype).length,
    Object.getOwnPropertyNames(Array.prototype).length,
    Object.getOwnPropertyNames(globalThis).length,
  ]);

describe('bad bytes', () => {
  it.each(BOUNDARIES.map((boundary) => [boundary.name, boundary] as const))(
    'are refused, or taken for what they are: %s',
    (name, boundary) => {
      const before = traces();
      for (const seed of boundary.seeds) expect(tryOnce(boundary, seed)).toBeNull();
      for (let round = 0; round < roundsOf(boundary); round += 1) {
        const bytes = mutated(boundary.seeds, makeDice(SEED + round));
        const given = Buffer.from(bytes);
        const error = tryOnce(boundary, bytes);
        if (error !== null) {
          const shown = given.subarray(0, SHOWN_BYTES).toString('latin1');
          throw new Error(`${name}, FUZZ_SEED=${String(SEED + round)}: ${JSON.stringify(shown)}`, { cause: error });
        }
        if (!bytes.equals(given)) throw new Error(`${name} has written into what it read`);
      }
      expect(traces()).toBe(before);
    },
    60_000 + ROUNDS * 10,
  );

  it('are noticed where a reader fails at them', () => {
    const careless: Boundary = {
      name: 'careless',
      seeds: [Buffer.from('{"a":1}')],
      refusals: [],
      read: (bytes) => {
        JSON.parse(bytes.toString('utf8'));
      },
    };
    const errors = Array.from({ length: 50 }, (_, round) =>
      tryOnce(careless, mutated(careless.seeds, makeDice(round))),
    );
    expect(errors.some((error) => error instanceof SyntaxError)).toBe(true);
  });
});
