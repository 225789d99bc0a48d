import { describe, expect, it } from '@jest/globals';
import { makeFakeClock } from '@tollgate/testkit';
import fc from 'fast-check';
import { makeWorkQueue } from './work-queue.ts';

const setUp = () => {
  const clock = makeFakeClock();
  const seen = { ready: 0, added: 0, depths: [] as number[], waited: [] as number[] };
  const queue = makeWorkQueue({
    timers: clock.timers,
    clock: clock.now,
    onReady: () => (seen.ready += 1),
    onAdded: () => (seen.added += 1),
    onDepth: (depth) => seen.depths.push(depth),
    onTaken: (ms) => seen.waited.push(ms),
  });
  return { clock, queue, seen };
};

describe('the work queue', () => {
  it('gives each key once, in the order of coming', () => {
    const { queue, seen } = setUp();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect([queue.take(), queue.take(), queue.take(), queue.take()]).toEqual(['a', 'b', 'c', null]);
    expect([seen.added, seen.depths]).toEqual([3, [1, 2, 3, 2, 1, 0]]);
  });

  it('gives a key that comes while it is in work only afterwards, and once', () => {
    const { queue } = setUp();
    queue.add('a');
    queue.take();
    queue.add('a');
    queue.add('a');
    expect(queue.take()).toBeNull();
    queue.done('a');
    expect([queue.take(), queue.take()]).toEqual(['a', null]);
    queue.done('a');
    expect(queue.take()).toBeNull();
  });

  it('brings a key in its time, and of several times at the earliest', async () => {
    const { clock, queue } = setUp();
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 300);
    await clock.advance(99);
    expect([queue.take(), clock.pending()]).toEqual([null, 1]);
    await clock.advance(1);
    expect(queue.take()).toBe('a');
    await clock.advance(1000);
    queue.done('a');
    expect([queue.take(), clock.pending()]).toEqual([null, 0]);
  });

  it('takes a time that is not to come for now', () => {
    const { queue } = setUp();
    queue.addAfter('a', 0);
    queue.addAfter('b', -5);
    queue.addAfter('c', Number.NaN);
    expect([queue.take(), queue.take(), queue.take()]).toEqual(['a', 'b', 'c']);
  });

  it('says how long a key has waited, counted from when it came though it was in work then', async () => {
    const { clock, queue, seen } = setUp();
    queue.add('a');
    await clock.advance(30);
    queue.take();
    queue.add('a');
    await clock.advance(40);
    queue.done('a');
    queue.take();
    expect(seen.waited).toEqual([30, 40]);
  });

  it('takes nothing more when it is stopped, and leaves no timer behind', async () => {
    const { clock, queue } = setUp();
    queue.add('a');
    queue.add('b');
    queue.take();
    queue.add('a');
    queue.addAfter('c', 10);
    queue.stop();
    queue.done('a');
    queue.add('d');
    queue.addAfter('e', 10);
    await clock.advance(100);
    expect([queue.take(), queue.depth, clock.pending()]).toEqual([null, 0, 0]);
  });

  it('never loses a key, never gives one to two, and never keeps one that nobody asked for', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key }),
      fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ do: fc.constant('take' as const) }),
      fc.record({ do: fc.constant('done' as const), key }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, queue } = setUp();
        const inWork = new Set<string>();
        /** Since when a key is due, of those asked for and not taken since. */
        const wanted = new Map<string, number>();
        const want = (name: string, at: number): void =>
          void wanted.set(name, Math.min(at, wanted.get(name) ?? Infinity));
        const take = (): string | null => {
          const taken = queue.take();
          if (taken === null) {
            for (const [name, at] of wanted) expect(at > clock.now() || inWork.has(name)).toBe(true);
            return null;
          }
          expect(inWork.has(taken)).toBe(false);
          inWork.add(taken);
          return taken;
        };
        // What waits for a later time comes again though the key was taken before: only the earliest is promised.
        const later = new Map<string, number>();
        for (const move of steps) {
          if (move.do === 'add') {
            queue.add(move.key);
            want(move.key, clock.now());
          } else if (move.do === 'addAfter') {
            queue.addAfter(move.key, move.ms);
            want(move.key, clock.now() + move.ms);
            later.set(move.key, Math.min(clock.now() + move.ms, later.get(move.key) ?? Infinity));
          } else if (move.do === 'take') {
            const taken = take();
            if (taken !== null) {
              expect(wanted.get(taken) ?? later.get(taken) ?? Infinity).toBeLessThanOrEqual(clock.now());
              wanted.delete(taken);
            }
          } else if (move.do === 'done') {
            if (inWork.delete(move.key)) queue.done(move.key);
          } else {
            await clock.advance(move.ms);
          }
        }
        // In the end everything that was asked for comes.
        for (const name of inWork) queue.done(name);
        inWork.clear();
        await clock.advance(100);
        const rest = new Set<string>();
        for (let taken = take(); taken !== null; taken = take()) rest.add(taken);
        for (const name of wanted.keys()) expect(rest).toContain(name);
        expect([clock.pending(), queue.depth]).toEqual([0, 0]);
      }),
      { numRuns: 500 },
    );
  });
});
