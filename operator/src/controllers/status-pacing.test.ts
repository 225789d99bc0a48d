import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  afterBegin,
  afterEnd,
  chooseWrites,
  DRIFT_MS,
  LONG_WAIT_MS,
  NO_WRITES,
  PER_OBJECT_MS,
  PER_SECOND,
  SECOND_MS,
  type Offer,
  type PacingState,
} from './status-pacing.ts';

const offer = (key: string, size = 1, since = 0): Offer => ({ key, size, since });
const written = (entries: readonly (readonly [string, number])[]): PacingState => ({
  ...NO_WRITES,
  lastWrite: new Map(entries),
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
    // Nothing frees a place before one of them has ended.
    expect(nextAt).toBeNull();
  });

  it('sends a slow API server no more than it answers', () => {
    const offers = Array.from({ length: 5 }, (_, index) => offer(`b${index}`, index));
    const busy: PacingState = { ...NO_WRITES, underWay: 15, ended: [9_100, 9_400, 9_900] };
    const first = chooseWrites(offers, busy, 10_000);
    expect(first).toEqual({ write: ['b4', 'b3'], nextAt: 10_100 });
    const full = afterBegin(busy, first.write, 10_000);
    expect(full.underWay).toBe(17);
    expect(chooseWrites(offers.slice(0, 3), full, 10_100).write).toEqual(['b2']);
    // What ends now counts for a second more.
    expect(chooseWrites(offers.slice(0, 3), afterEnd(full, 10_050), 10_050)).toEqual({ write: [], nextAt: 10_100 });
    expect(chooseWrites(offers.slice(0, 3), { ...NO_WRITES, underWay: 20 }, 10_050).nextAt).toBeNull();
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
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.nat(3_000), (steps, lasting) => {
        let now = 0;
        let state = NO_WRITES;
        const pending = new Map<string, Offer>();
        const writes: { key: string; at: number }[] = [];
        const underWay: number[] = [];
        const turn = (): number | null => {
          while ((underWay[0] ?? Infinity) <= now) state = afterEnd(state, underWay.shift() ?? now);
          const { write, nextAt } = chooseWrites([...pending.values()], state, now);
          state = afterBegin(state, write, now);
          for (const key of write) {
            const waited = now - (pending.get(key)?.since ?? now);
            // 61 objects at 20 a second and what a write lasts, each free again after its own time at the latest.
            expect(waited).toBeLessThanOrEqual(DRIFT_MS + LONG_WAIT_MS + 4_000 + 4 * lasting);
            pending.delete(key);
            writes.push({ key, at: now });
            underWay.push(now + lasting);
          }
          if (nextAt !== null) expect(nextAt).toBeGreaterThan(now);
          const [endsAt] = underWay;
          const afterOne = endsAt === undefined || pending.size === 0 ? null : endsAt + SECOND_MS;
          return nextAt === null || afterOne === null ? (nextAt ?? afterOne) : Math.min(nextAt, afterOne);
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
        // Neither begin nor end more than twenty within a second.
        for (const { at } of writes) {
          const begun = writes.filter((other) => other.at > at - SECOND_MS && other.at <= at);
          expect(begun.length).toBeLessThanOrEqual(PER_SECOND);
        }
      }),
      { numRuns: 300 },
    );
  });
});
