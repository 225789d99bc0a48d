import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { aSnapshot } from '@tollgate/testkit';
import { makePolicyFeed } from './policy-feed.ts';

afterEach(() => {
  jest.useRealTimers();
});

describe('the policy in force', () => {
  const start = () => {
    const time = { now: 0 };
    const feed = makePolicyFeed({ waitMs: 1_000, maxAgeMs: 30_000, clock: () => time.now });
    return { time, feed };
  };

  it('is waited for by calls that come before the first, and by none for ever', async () => {
    jest.useFakeTimers();
    const { feed } = start();
    const [early, late] = [feed.current(), feed.current()];
    expect([feed.isReady(), feed.version()]).toEqual([false, null]);
    feed.update(aSnapshot({ version: 'one' }));
    expect([await early, await late]).toMatchObject([{ book: { version: 'one' } }, { book: { version: 'one' } }]);
    expect(feed.current()).toMatchObject({ book: { version: 'one' } });
    const hasty = start().feed.current();
    jest.advanceTimersByTime(1_001);
    expect(await hasty).toBeNull();
  });

  it('is too old once nothing was heard for long, but for as long as an overdraft bridges', () => {
    const { time, feed } = start();
    const bridged = { overdraft: { amount: '1', maxDurationSeconds: 60 } };
    const stale = (): readonly boolean[] => [feed.isStale({ overdraft: null }), feed.isStale(bridged)];
    expect([feed.ageMs(), ...stale()]).toEqual([null, false, false]);
    feed.update(aSnapshot({ version: 'one' }));
    time.now = 30_000;
    expect(stale()).toEqual([false, false]);
    time.now = 30_001;
    expect([feed.ageMs(), ...stale()]).toEqual([30_001, true, false]);
    time.now = 60_001;
    expect(stale()).toEqual([true, true]);
    feed.heard();
    expect(stale()).toEqual([false, false]);
    time.now = 100_000;
    // The same again is a word too.
    feed.update(aSnapshot({ version: 'one' }));
    expect([feed.ageMs(), ...stale()]).toEqual([0, false, false]);
  });
});
