import type { BlockSource, ResolveCounter } from './block-source.ts';
import { parseCounterKey } from './counter-key.ts';
import type { CounterKey, Drained, DrainRequest, PoolEpoch, PoolState, StateBalance } from './pool-state.ts';

/** Takes out of the state what is not to be leased any more, and refunds it at the source: each amount exactly once. */
export interface Drainer {
  drain(epoch: PoolEpoch, counters: readonly DrainRequest[]): Promise<'drained' | 'epoch'>;
  /** Empties the counters whose window or limit is over, and those that somebody drained and may not have refunded. */
  drainPast(epoch: PoolEpoch): Promise<'drained' | 'epoch'>;
  drainAll(epoch: PoolEpoch): Promise<'drained' | 'epoch'>;
  balances(epoch: PoolEpoch): Promise<readonly StateBalance[]>;
}

export interface DrainerDeps {
  readonly state: PoolState;
  readonly source: BlockSource;
  readonly resolve: ResolveCounter;
  /** Never the same twice, nor another server's. */
  readonly newId: () => string;
}

export const makeDrainer = ({ state, source, resolve, newId }: DrainerDeps): Drainer => {
  const refund = async (epoch: PoolEpoch, { id, returns }: Drained): Promise<void> => {
    if (returns.length === 0) return;
    await source.refund(epoch.id, id, returns);
    await state.refunded(epoch, id);
  };

  const drain: Drainer['drain'] = async (epoch, counters) => {
    if (counters.length === 0) return 'drained';
    const answer = await state.drain(epoch, newId(), counters);
    if (answer.kind === 'epoch') return 'epoch';
    // Should this fail, the state remembers it for whoever tends next.
    await refund(epoch, answer.drained);
    return 'drained';
  };

  const eachPage = async (
    epoch: PoolEpoch,
    visit: (counters: readonly StateBalance[], drains: readonly Drained[]) => Promise<'epoch' | 'drained'>,
  ): Promise<'epoch' | 'drained'> => {
    for (let cursor: number | null = 0; cursor !== null;) {
      const page = await state.page(epoch, cursor);
      if (page.kind === 'epoch' || (await visit(page.counters, page.drains)) === 'epoch') return 'epoch';
      cursor = page.next;
    }
    return 'drained';
  };

  const isPast = (key: CounterKey): boolean => {
    const name = parseCounterKey(key);
    return resolve(name)?.window.id !== name.windowId;
  };

  const drainThem = async (epoch: PoolEpoch, counters: readonly StateBalance[]): Promise<'epoch' | 'drained'> =>
    drain(
      epoch,
      counters.filter(({ pooled }) => pooled > 0n).map(({ key }) => ({ key, max: null })),
    );

  return {
    drain,
    drainPast: (epoch) =>
      eachPage(epoch, async (counters, drains) => {
        for (const drained of drains) await refund(epoch, drained);
        const past = counters.filter(({ key }) => isPast(key));
        if ((await drainThem(epoch, past)) === 'epoch') return 'epoch';
        if (past.length > 0)
          await state.forget(
            epoch,
            past.map(({ key }) => key),
          );
        return 'drained';
      }),
    drainAll: (epoch) => eachPage(epoch, (counters) => drainThem(epoch, counters)),
    balances: async (epoch) => {
      const all: StateBalance[] = [];
      const answer = await eachPage(epoch, async (counters) => {
        all.push(...counters);
        return 'drained';
      });
      return answer === 'epoch' ? [] : all;
    },
  };
};
