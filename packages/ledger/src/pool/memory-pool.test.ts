import { describe, expect, it } from '@jest/globals';
import type { Grant } from '../lease-port.ts';
import type { BlockSource, CounterTerms } from './block-source.ts';
import { makeMemoryBlockSource, type MemoryBlockSource } from './memory-block-source.ts';
import { makeMemoryPool } from './memory-pool.ts';

const NAME = { budget: 'team/pool', limit: 'total', partition: '' };
const termsOf = (max: bigint, window = { id: 'Total', start: 0, end: null as number | null }): CounterTerms => ({
  ...NAME,
  unit: 'cost',
  max,
  window,
  sliding: null,
});

const setUp = async ({ max = 1_000n, live = 1, wrap = (source: MemoryBlockSource): BlockSource => source } = {}) => {
  const source = makeMemoryBlockSource();
  const state: { terms: CounterTerms | null; now: number } = { terms: termsOf(max), now: 0 };
  const pool = await makeMemoryPool({
    source: wrap(source),
    resolve: () => state.terms,
    clock: () => state.now,
    liveProxies: () => live,
  });
  source.register('a');
  source.register('b');
  let seq = 0;
  const take = async (need: bigint, prefer = need, instance = 'a'): Promise<Grant> => {
    seq += 1;
    const answer = await pool.acquire({ instance, seq, needs: [{ ...NAME, need, prefer }] });
    if (!answer.granted || !answer.grants[0]) throw new Error('denied');
    return answer.grants[0];
  };
  return { source, pool, state, take };
};

describe('memory pool', () => {
  it('grants ahead of need within an even share of half the pool', async () => {
    const { take } = await setUp({ max: 100_000n, live: 5 });
    // A block is 2 % = 2,000: a fifth of half of it.
    expect((await take(1n, 10_000n)).amount).toBe(200n);
    expect((await take(1n, 50n)).amount).toBe(50n);
    expect((await take(900n, 1_000n)).amount).toBe(900n);
  });

  it('tells what is left beyond the grant', async () => {
    const { take } = await setUp({ max: 1_000n });
    expect((await take(300n)).left).toBe(700n);
    expect((await take(700n)).left).toBe(0n);
  });

  it('opens a new epoch where its own was sealed, and registers who leases in it first', async () => {
    const { source, pool, take } = await setUp();
    const before = await take(10n);
    source.sealEpoch(before.epoch);
    const after = await take(500n);
    expect(after.epoch).not.toBe(before.epoch);
    expect(pool.epoch()).toBe(after.epoch);
    // What it had of the old epoch is no longer its to lease or to take back.
    await pool.giveBack({
      instance: 'a',
      seq: 1,
      returns: [{ ...NAME, leaseId: before.leaseId, windowId: 'Total', epoch: before.epoch, amount: 10n }],
    });
    expect(await pool.balances()).toMatchObject([{ leased: 500n }]);
  });

  it('opens a new epoch too where it learns of the seal at a hello', async () => {
    const { source, pool } = await setUp();
    const before = pool.epoch();
    source.sealEpoch(before);
    await pool.join('b');
    expect(pool.epoch()).not.toBe(before);
  });

  it('owes what was spent beyond a lease, and pays it from what comes back', async () => {
    const { source, pool, take } = await setUp({ max: 100n });
    const grant = await take(10n);
    const charge = { ...NAME, instance: 'a', windowId: 'Total', epoch: grant.epoch, charged: 25n };
    source.settle([charge]);
    await pool.settled([charge]);
    await pool.close('a', grant.epoch, () => Promise.resolve(source.closeInstance('a', grant.epoch)));
    // 15 too many, and 2 that were fetched ahead.
    expect(await pool.balances()).toMatchObject([{ pooled: -13n, leased: 0n }]);
    await take(75n, 75n, 'b');
    await expect(take(1n, 1n, 'b')).rejects.toThrow('denied');
  });

  it('believes the source, not its own memory, about what a leaving instance spent', async () => {
    const { source, pool, take } = await setUp({ max: 100n });
    const grant = await take(60n);
    // Committed, and not yet heard of here.
    source.settle([{ ...NAME, instance: 'a', windowId: 'Total', epoch: grant.epoch, charged: 60n }]);
    await pool.close('a', grant.epoch, () => Promise.resolve(source.closeInstance('a', grant.epoch)));
    expect(await pool.balances()).toMatchObject([{ pooled: 2n, leased: 0n }]);
  });

  it('does nothing to its own money when an instance closes an older epoch', async () => {
    const { pool, take } = await setUp();
    await take(10n);
    await pool.close('a', 'older', () => Promise.resolve([{ ...NAME, windowId: 'Total', epoch: 'older', amount: 5n }]));
    expect(await pool.balances()).toMatchObject([{ leased: 10n }]);
  });

  it('keeps what a refund that failed was about for the next one, and never leases it meanwhile', async () => {
    let isGone = true;
    const { source, pool, state, take } = await setUp({
      max: 1_000n,
      wrap: (source) => ({
        ...source,
        refund: (epoch, id, returns) =>
          isGone ? Promise.reject(new Error('gone')) : source.refund(epoch, id, returns),
      }),
    });
    await take(10n);
    state.terms = null;
    await expect(pool.tend()).rejects.toThrow('gone');
    expect(await pool.balances()).toMatchObject([{ pooled: 0n, leased: 10n }]);
    expect(source.tallies()).toMatchObject([{ refunded: 0n }]);
    isGone = false;
    await pool.tend();
    await pool.tend();
    const [tally] = source.tallies();
    expect(tally && tally.allocated - tally.refunded).toBe(10n);
  });

  it('asks again where the window ended while the source was asked', async () => {
    const { state, take } = await setUp({
      wrap: (source) => ({
        ...source,
        allocate: (request) => {
          state.terms = termsOf(1_000n, { id: 'next', start: 5, end: 10 });
          state.now = 5;
          return source.allocate(request);
        },
      }),
    });
    expect((await take(10n)).window.id).toBe('next');
  });

  it('leases nothing once it has stopped, and says that its successor will', async () => {
    const { pool, take } = await setUp();
    await pool.stop();
    await expect(take(1n)).rejects.toMatchObject({ code: 'ledger_unavailable' });
  });

  it('refuses to take back what is no amount', async () => {
    const { pool } = await setUp();
    const back = { ...NAME, leaseId: 'x', windowId: 'Total', epoch: pool.epoch(), amount: -1n };
    await expect(pool.giveBack({ instance: 'a', seq: 1, returns: [back] })).rejects.toMatchObject({
      code: 'invalid_amount',
    });
  });
});
