import { describe, expect, it } from '@jest/globals';
import { LedgerUnavailable } from '../lease-port.ts';
import { makePool } from './make-pool.ts';
import { makeMemoryBlockSource } from './memory-block-source.ts';
import { makeMemoryPoolState } from './memory-pool-state.ts';
import type { PoolState } from './pool-state.ts';
import { dialectOf, mayOpen, shouldUpgrade } from './shared-epochs.ts';

const NAME = { budget: 'team/pool', limit: 'total', partition: '' };
const process = (id: string, library: string, dialects: readonly number[] = [1]) => ({ id, library, dialects });

/** Servers of several versions over one state in memory, which does not mind which library it is. */
const aTown = () => {
  const source = makeMemoryBlockSource();
  const state = makeMemoryPoolState({ clock: () => 0 });
  source.register('a');
  return {
    source,
    state,
    server: (name: string, library: string, part: Partial<PoolState> = {}, dialects: readonly number[] = [1]) =>
      makePool({
        state: { ...state, library, dialects, ...part },
        source,
        resolve: (of) => ({
          ...of,
          unit: 'cost',
          max: 1_000n,
          window: { id: 'Total', start: 0, end: null },
          sliding: null,
        }),
        clock: () => 0,
        liveProxies: () => 1,
        sharedAs: name,
      }),
  };
};
const need = (amount: bigint) => [{ ...NAME, need: amount, prefer: amount }];

describe('the library of a shared epoch', () => {
  it('is one that everyone can call, and gives way when nobody is left who brings another', () => {
    expect(dialectOf('12.abc')).toBe(12);
    expect(mayOpen('2.b', [process('one', '1.a'), process('two', '2.b', [1, 2])])).toBe(false);
    expect(mayOpen('2.b', [process('one', '2.a', [2]), process('two', '2.b', [1, 2])])).toBe(true);
    expect(shouldUpgrade('1.a', '1.b', [process('one', '1.a'), process('two', '1.b')])).toBe(false);
    expect(shouldUpgrade('1.a', '1.b', [process('two', '1.b')])).toBe(true);
    expect(shouldUpgrade('1.b', '1.b', [process('two', '1.b')])).toBe(false);
  });

  it('is the running one’s while an older server is there, then the new one’s, with nothing lost', async () => {
    const { source, server } = aTown();
    const old = await server('old', '1.a');
    const young = await server('young', '1.b');
    const epoch = old.epoch();
    expect(young.epoch()).toBe(epoch);
    await young.acquire({ instance: 'a', seq: 1, needs: need(10n) });
    await young.tend();
    expect(young.epoch()).toBe(epoch);
    await old.stop();
    await young.tend();
    expect(young.epoch()).not.toBe(epoch);
    expect(await source.shared.current()).toMatchObject({ id: young.epoch(), library: '1.b' });
    // What lay in the old pool came back; what is in hand is waited for.
    const out = source.tallies().reduce((sum, { allocated, refunded }) => sum + allocated - refunded, 0n);
    expect(out).toBe(10n);
    const answer = await young.acquire({ instance: 'a', seq: 2, needs: need(990n) });
    expect(answer.granted).toBe(true);
  });

  it('that a server cannot call makes it wait, and one that others cannot call is not opened', async () => {
    const { server } = aTown();
    const young = await server('young', '2.b', {}, [2]);
    await expect(server('old', '1.a')).rejects.toBeInstanceOf(LedgerUnavailable);
    await young.stop();
    await expect(server('older', '1.a')).rejects.toThrow('cannot call');
  });
});

describe('a shared pool', () => {
  it('opens above what the state has seen, where the database lost its last commits', async () => {
    const { source, state, server } = aTown();
    await state.open({ id: 'of a commit that is lost', number: 7, library: '' });
    const pool = await server('one', '');
    expect(await source.shared.current()).toMatchObject({ id: pool.epoch(), number: 8 });
  });

  it('says that it is unavailable where no epoch can be opened, and goes on when it can', async () => {
    const { server } = aTown();
    await expect(server('one', '', { open: async () => ({ kind: 'lost' }) })).rejects.toThrow('could not agree');
    const pool = await server('two', '', {
      settled: () => Promise.reject(new LedgerUnavailable('gone')),
      page: () => Promise.reject(new LedgerUnavailable('gone')),
    });
    const charge = { ...NAME, instance: 'a', windowId: 'Total', epoch: pool.epoch(), charged: 1n };
    await pool.settled([charge]);
    expect(await pool.balances()).toEqual([]);
  });

  it('notes that a block is loaded, also where the first note got lost', async () => {
    const { source, state } = aTown();
    let notes = 0;
    const faults: string[] = [];
    const pool = await makePool({
      state,
      source: {
        ...source,
        loaded: (epoch, ids) =>
          (notes += 1) === 1 ? Promise.reject(new Error('lost on the way')) : source.loaded(epoch, ids),
      },
      resolve: (of) => ({ ...of, unit: 'cost', max: 50n, window: { id: 'Total', start: 0, end: null }, sliding: null }),
      clock: () => 0,
      liveProxies: () => 1,
      sharedAs: 'one',
      onFault: (_fault, doing) => faults.push(doing),
    });
    await pool.acquire({ instance: 'a', seq: 1, needs: need(10n) });
    // The source tells that block again: it was there already, and only then comes another.
    const answer = await pool.acquire({ instance: 'a', seq: 2, needs: need(40n) });
    expect(answer.granted).toBe(true);
    expect(faults).toContain('note that blocks are loaded');
    expect(await source.unloaded(pool.epoch())).toEqual([]);
    const [tally] = source.tallies();
    expect(tally?.allocated).toBe(50n);
  });

  it('counts the proxies of all its servers when it shares out what it has', async () => {
    const { state, server } = aTown();
    await state.beat('elsewhere', 9);
    const pool = await server('one', '');
    await pool.tend();
    await pool.acquire({ instance: 'a', seq: 1, needs: need(1n) });
    const answer = await pool.acquire({ instance: 'a', seq: 2, needs: [{ ...NAME, need: 0n, prefer: 1_000n }] });
    const balances = await pool.balances();
    const pooled = balances[0]?.pooled ?? 0n;
    expect(answer.granted && answer.grants[0]?.amount).toBe(pooled / 20n);
  });
});
