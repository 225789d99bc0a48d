import { describe, expect, it } from '@jest/globals';
import { makeKeyLocks } from './key-locks.ts';

describe('key locks', () => {
  it('run the jobs of a key one after another, and those of others meanwhile', async () => {
    const locks = makeKeyLocks();
    const log: string[] = [];
    const job = (name: string, turns: number) => async (waited: boolean) => {
      log.push(`${name} begins${waited ? ' after another' : ''}`);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      log.push(`${name} ends`);
    };
    await Promise.all([locks.run('a', job('a1', 20)), locks.run('a', job('a2', 1)), locks.run('b', job('b1', 1))]);
    expect(log).toEqual(['a1 begins', 'b1 begins', 'b1 ends', 'a1 ends', 'a2 begins after another', 'a2 ends']);
  });

  it('go on after a job that fails, and forget a key that nobody asks for', async () => {
    const locks = makeKeyLocks();
    const failing = locks.run('a', () => Promise.reject(new Error('no')));
    const next = locks.run('a', async (waited) => waited);
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe(true);
    expect(await locks.run('a', async (waited) => waited)).toBe(false);
  });
});
