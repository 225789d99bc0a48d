import { describe, expect, it } from '@jest/globals';
import { StoreRefused } from './store-refused.ts';
import { StoreUnavailable } from './store-unavailable.ts';
import { waitForDatabase, type Waiting } from './wait-for-database.ts';

const gone = new StoreUnavailable('not there');

/** Answers after so many failed attempts, on a clock that moves with the pauses alone. */
const scene = (failures: number, error: Error = gone) => {
  let now = 0;
  let attempts = 0;
  const words: Waiting[] = [];
  const run = (upToMs: number, random = 0.5) =>
    waitForDatabase(
      () => {
        attempts += 1;
        return attempts <= failures ? Promise.reject(error) : Promise.resolve(attempts);
      },
      { upToMs, onWaiting: (waiting) => words.push(waiting) },
      {
        elapsed: () => now,
        sleep: (ms) => {
          now += ms;
          return Promise.resolve();
        },
        random: () => random,
      },
    );
  return { run, words, attempts: () => attempts, now: () => now };
};

describe('waiting for the database', () => {
  it('says nothing where it is there', async () => {
    const { run, words } = scene(0);
    expect(await run(60_000)).toBe(1);
    expect(words).toEqual([]);
  });

  it('tries with growing pauses, each with a word and its reason', async () => {
    const { run, words } = scene(7);
    expect(await run(60_000)).toBe(8);
    expect(words.map(({ waitedMs, retryInMs }) => [waitedMs, retryInMs])).toEqual([
      [0, 250],
      [250, 500],
      [750, 1_000],
      [1_750, 2_000],
      [3_750, 4_000],
      [7_750, 5_000],
      [12_750, 5_000],
    ]);
    expect(words[0]?.reason).toBe(gone);
  });

  it('spreads the pauses', async () => {
    const { run, words } = scene(1);
    await run(60_000, 0);
    expect(words[0]?.retryInMs).toBe(188);
  });

  it('gives up after its time with the last reason, and tries once more at its very end', async () => {
    const { run, now } = scene(1_000);
    await expect(run(3_000)).rejects.toBe(gone);
    expect(now()).toBe(3_000);
  });

  it('does not wait at all where no time is given, nor for a database that refuses us', async () => {
    const none = scene(1);
    await expect(none.run(0)).rejects.toBe(gone);
    expect(none.attempts()).toBe(1);
    const refused = scene(1, new StoreRefused('no', { todo: 'x' }));
    await expect(refused.run(60_000)).rejects.toMatchObject({ code: 'store_refused' });
    expect(refused.attempts()).toBe(1);
  });
});
