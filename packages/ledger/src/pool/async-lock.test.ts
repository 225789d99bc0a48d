import { describe, expect, it } from '@jest/globals';
import { makeAsyncLock } from './async-lock.ts';

describe('async lock', () => {
  it('runs one job after another, in the order asked', async () => {
    const lock = makeAsyncLock();
    const log: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    const first = lock(async () => {
      log.push('first in');
      await gate.promise;
      log.push('first out');
      return 1;
    });
    const second = lock(() => Promise.resolve(log.push('second')));
    gate.resolve(undefined);
    expect(await first).toBe(1);
    await second;
    expect(log).toEqual(['first in', 'first out', 'second']);
  });

  it('goes on after a job that fails', async () => {
    const lock = makeAsyncLock();
    const failed = lock(() => Promise.reject(new Error('no')));
    const next = lock(() => Promise.resolve('yes'));
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
  });
});
