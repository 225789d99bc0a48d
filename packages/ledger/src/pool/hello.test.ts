import { describe, expect, it } from '@jest/globals';
import { makeSharedMemoryWorld } from '../contract/pool-world.ts';
import { makeMemoryBlockSource } from './memory-block-source.ts';
import type { JoinAnswer } from './block-source.ts';

const START = 1_795_219_200_000;

const setUp = async () => {
  const world = await makeSharedMemoryWorld();
  const source = makeMemoryBlockSource();
  const pool = await world.open({ source, resolve: () => null, clock: () => START, liveProxies: () => 1 });
  const entered: string[] = [];
  const enter = (epoch: string): Promise<JoinAnswer> => {
    entered.push(epoch);
    source.register('a');
    return source.join(epoch, 'a');
  };
  return { world, pool, entered, enter };
};

describe('an instance that says hello', () => {
  it('is written down in the epoch that lives, and in no other', async () => {
    const { world, pool, entered, enter } = await setUp();
    const before = pool.epoch();
    await world.lose();
    await pool.join('a', enter);
    expect(pool.epoch()).not.toBe(before);
    expect(entered).toEqual([pool.epoch()]);
  });

  it('is written down each time that it says so', async () => {
    const { pool, entered, enter } = await setUp();
    await pool.join('a', enter);
    await pool.join('a', enter);
    await pool.join('a');
    expect(entered).toEqual([pool.epoch(), pool.epoch()]);
  });

  it('goes on to the next epoch where this one is sealed', async () => {
    const { pool, entered, enter } = await setUp();
    const before = pool.epoch();
    await pool.join('a', (epoch) => (epoch === before ? Promise.resolve('sealed') : enter(epoch)));
    expect(pool.epoch()).not.toBe(before);
    expect(entered).toEqual([pool.epoch()]);
  });

  it('is refused where it is over', async () => {
    const { pool } = await setUp();
    await expect(pool.join('a', () => Promise.resolve('unknown'))).rejects.toMatchObject({ code: 'unknown_instance' });
  });
});
