import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  afterWrites,
  chooseWrites,
  DRIFT_MS,
  LONG_WAIT_MS,
  NO_WRITES,
  PER_OBJECT_MS,
  PER_SECOND,
  type Offer,
  type PacingState,
} from './status-pacing.ts';

const offer = (key: string, size = 1, since = 0): Offer => ({ key, size, since });
const written = (entries: readonly (readonly [string, number])[]): PacingState => ({
  lastWrite: new Map(entries),
  recent: [],
});

describe('the pace of status writes', () => {
  it('writes the first change at once', () => {
    expect(chooseWrites([offer('a')], NO_WRITES, 0)).toEqual({ write: ['a'], nextAt: null });
  });

  it('writes a change after five quiet seconds at once, and not before', () => {
    const state = written([['a', 1_000]]);
    expect(chooseWrites([offer('a')], state, 5_999)).toEqual({ write: [], nextAt: 6_000 });
    expect(chooseWrites([offer('a')], state, 6_000)).toEqual({ write: ['a'], nextAt: null });
  });

  it('lets drift wait for a minute', () => {
    expect(chooseWrites([offer('a', 0)], written([['a', 0]]), 59_999)).toEqual({ write: [], nextAt: 60_000 });
    expect(chooseWrites([offer('a', 0)], NO_WRITES, 0)).toEqual({ write: ['a'], nextAt: null });
  });

  it('writes the largest change first where not all can be written', () => {
    const offers = Array.from({ length: 25 }, (_, index) => offer(`b${index}`, index));
    const { write, nextAt } = chooseWrites(offers, NO_WRITES, 0);
    expect(write).toEqual(Array.from({ length: PER_SECOND }, (_, index) => `b${24 - index}`));
    expect(nextAt).toBe(1_000);
  });

  it('puts what waited long before what is large', () => {
    const offers = [...Array.from({ length: 25 }, (_, i) => offer(`b${i}`, 99, LONG_WAIT_MS)), offer('old', 1, 0)];
    expect(chooseWrites(offers, NO_WRITES, LONG_WAIT_MS).write[0]).toBe('old');
  });

  it('is never faster than allowed, starves nobody, and never sleeps past its time', () => {
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 3_000 }),
      offers: fc.array(fc.record({ key: fc.integer({ min: 0, max: 60 }), size: fc.nat(5) }), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        let now = 0;
        let state = NO_WRITES;
        const pending = new Map<string, Offer>();
        const writes: { key: string; at: number }[] = [];
        const turn = (): number | null => {
          const { write, nextAt } = chooseWrites([...pending.values()], state, now);
          state = afterWrites(state, write, now);
          for (const key of write) {
            const waited = now - (pending.get(key)?.since ?? now);
            // 61 objects at 20 a second, each free again after its own time at the latest.
            expect(waited).toBeLessThanOrEqual(DRIFT_MS + LONG_WAIT_MS + 4_000);
            pending.delete(key);
            writes.push({ key, at: now });
          }
          if (nextAt !== null) expect(nextAt).toBeGreaterThan(now);
          return nextAt;
        };
        for (const { wait, offers } of steps) {
          for (const { key, size } of offers) {
            const name = String(key);
            pending.set(name, { key: name, size, since: pending.get(name)?.since ?? now });
          }
          const end = now + wait;
          for (let next = turn(); next !== null && next <= end; next = turn()) now = next;
          now = end;
        }
        for (let next = turn(); next !== null; next = turn()) now = next;
        expect(pending.size).toBe(0);
        for (const [, ofKey] of Map.groupBy(writes, ({ key }) => key)) {
          for (const [index, { at }] of ofKey.entries()) {
            const before = ofKey[index - 1];
            if (before) expect(at - before.at).toBeGreaterThanOrEqual(PER_OBJECT_MS);
          }
        }
        for (const { at } of writes) {
          expect(writes.filter((other) => other.at > at - 1_000 && other.at <= at).length).toBeLessThanOrEqual(
            PER_SECOND,
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});
