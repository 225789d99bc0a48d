import { describe, expect, it } from '@jest/globals';
import { makeReleases } from './releases.ts';
import { systemTimers, type Timers } from './timers.ts';

/** Time passes when the test says so. */
const fakeTimers = () => {
  const waiting: (() => void)[] = [];
  const timers: Timers = {
    after: (_, act) => {
      waiting.push(act);
      return () => void waiting.splice(waiting.indexOf(act), 1);
    },
  };
  return { timers, pass: () => waiting.splice(0).forEach((act) => act()), waiting };
};

describe('releases', () => {
  it('run last in, first out, each after the one before it', async () => {
    const order: string[] = [];
    const { timers, waiting } = fakeTimers();
    const releases = makeReleases(timers);
    releases.add('database', () => void order.push('database'));
    releases.add('server', async () => {
      await Promise.resolve();
      order.push('server');
    });
    expect(await releases.run(1000)).toEqual({ firstError: null, failed: [], late: [] });
    expect(order).toEqual(['server', 'database']);
    expect(waiting).toHaveLength(0);
  });

  it('keep the first error and go on', async () => {
    const releases = makeReleases(fakeTimers().timers);
    const first = new Error('first');
    releases.add('a', () => Promise.reject(new Error('second')));
    releases.add('b', () => {
      throw first;
    });
    expect(await releases.run(1000)).toEqual({ firstError: { name: 'b', error: first }, failed: ['b', 'a'], late: [] });
  });

  it('stop waiting when the grace period ends, but still start the rest', async () => {
    const { timers, pass } = fakeTimers();
    const releases = makeReleases(timers);
    let closed = false;
    releases.add('file', () => void (closed = true));
    releases.add('stuck', () => new Promise(() => undefined));
    const run = releases.run(10);
    pass();
    expect((await run).late).toContain('stuck');
    expect(closed).toBe(true);
  });

  it('run once, however often they are asked', async () => {
    const releases = makeReleases(systemTimers);
    let runs = 0;
    releases.add('a', () => void (runs += 1));
    await Promise.all([releases.run(1000), releases.run(1000)]);
    expect(runs).toBe(1);
  });

  it('can be taken off again', async () => {
    const releases = makeReleases(fakeTimers().timers);
    let ran = false;
    const off = releases.add('a', () => void (ran = true));
    off();
    off();
    await releases.run(1000);
    expect(ran).toBe(false);
  });
});
