import { counterKey, type CounterName } from '../counter.ts';
import { LedgerUnavailable, type GiveBackRequest } from '../lease-port.ts';
import { ANY_EPOCH } from '../session.ts';
import { makeBlockKeeper } from './block-keeper.ts';
import type { BlockSource, ChargedInEpoch, ResolveCounter } from './block-source.ts';
import { counterKeyOf, parseCounterKey } from './counter-key.ts';
import { makeDrainer } from './drainer.ts';
import { checkReturns } from './lease-request-checks.ts';
import { makeLeaseTurns } from './lease-turns.ts';
import { LedgerRequestError, seqFault } from './ledger-request-error.ts';
import { makeMembers } from './members.ts';
import { joinSharedEpochs, openPrivateEpochs } from './pool-epochs.ts';
import type { CounterKey, PoolEpoch, PoolState } from './pool-state.ts';
import type { Pool } from './pool.ts';

/**
 * The rules of a pool, over whatever holds its balances: leases out of blocks that the source has written down as gone.
 * The state decides each step as one; between steps anything may happen, also through other servers of the same pool,
 * so that every answer says what to do next, and a question is asked again until one is final.
 */
export interface MakePoolDeps {
  readonly state: PoolState;
  readonly source: BlockSource;
  /** By the ledger's clock: where the state has a time of its own, by that (`ledger-clock.ts`). */
  readonly resolve: ResolveCounter;
  /** Milliseconds since 1970, UTC, of this process: paces what is tried again. */
  readonly clock: () => number;
  /** The proxies that this server sees. */
  readonly liveProxies: () => number;
  /** The pool is shared by all servers that use this state and source; `server` names this life of this process, and no other. */
  readonly sharedAs?: string;
  /** Less of this counter may be leased than before: ask for what is idle. */
  readonly onLowered?: (counter: CounterName) => void;
  /** Work in the background that failed, and will be tried again. */
  readonly onFault?: (fault: unknown, doing: string) => void;
}

export const makePool = async (deps: MakePoolDeps): Promise<Pool> => {
  const {
    state,
    source,
    resolve,
    clock,
    liveProxies,
    sharedAs,
    onLowered = () => undefined,
    onFault = () => undefined,
  } = deps;
  const epochs = await (sharedAs === undefined
    ? openPrivateEpochs({ state, source })
    : joinSharedEpochs({ state, source }, sharedAs));
  const keeper = makeBlockKeeper({ state, source, clock, onFault });
  let drains = 0;
  const drainer = makeDrainer({
    state,
    source,
    resolve,
    newId: () => `${sharedAs ?? epochs.now().id}.${String((drains += 1))}`,
  });
  const working = new Set<Promise<unknown>>();
  let proxiesElsewhere = 0;
  let stopped = false;

  const mustRun = (): void => {
    if (stopped) throw new LedgerUnavailable('this pool has stopped: its successor takes over');
  };
  const members = makeMembers({ state, source, epochs });
  const acquire = makeLeaseTurns({
    state,
    resolve,
    keeper,
    drainer,
    epochs,
    members,
    clock,
    liveProxies: () => liveProxies() + proxiesElsewhere,
    isShared: sharedAs !== undefined,
    mustRun,
    onLowered,
  });

  /** Counts as work until it ends, so that a stop can wait for it. */
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    const run = work();
    working.add(run);
    try {
      return await run;
    } finally {
      working.delete(run);
    }
  };

  const giveBack = async ({ instance, seq, returns }: GiveBackRequest): Promise<void> => {
    checkReturns(returns);
    const asked = returns.map((back) => `${back.leaseId}=${String(back.amount)}`).join('\n');
    const epoch = epochs.now();
    // What comes from an earlier epoch returns when that epoch is closed: there is no pool to put it in.
    const ours = returns.filter((back) => back.epoch === epoch.id);
    const lines = ours.map((back) => ({ key: counterKeyOf(back, back.windowId), amount: back.amount }));
    const answer = await state.giveBack(epoch, { instance, seq, asked, returns: lines });
    switch (answer.kind) {
      case 'returned':
        await drainOver(epoch, [...new Set(lines.map(({ key }) => key))]);
        return;
      case 'exceeds': {
        const line = ours[answer.line];
        const name = line ? counterKey(line) : 'a counter';
        throw new LedgerRequestError('give_back_exceeds', `more of ${name} is given back than is in hand`);
      }
      case 'epoch':
        await epochs.renew(epoch);
        return;
      default:
        throw seqFault(answer.kind, seq);
    }
  };

  /** What came back of windows that are over goes home at once. */
  const drainOver = async (epoch: PoolEpoch, keys: readonly CounterKey[]): Promise<void> => {
    const over = keys.filter((key) => {
      const name = parseCounterKey(key);
      return resolve(name)?.window.id !== name.windowId;
    });
    try {
      await drainer.drain(
        epoch,
        over.map((key) => ({ key, max: null })),
      );
    } catch (fault) {
      onFault(fault, 'refund what a past window left');
    }
  };

  const close = async (
    instance: string,
    closing: string,
    leave: () => Promise<readonly ChargedInEpoch[]>,
  ): Promise<void> => {
    const spent = await leave();
    const epoch = epochs.now();
    if (closing !== epoch.id && closing !== ANY_EPOCH) return;
    const here = spent
      .filter((sum) => sum.epoch === epoch.id)
      .map((sum) => ({ key: counterKeyOf(sum, sum.windowId), amount: sum.amount }));
    if ((await state.close(epoch, instance, here)) === 'epoch') await epochs.renew(epoch);
  };

  const drainOrRenew = async (epoch: PoolEpoch, drain: () => Promise<'drained' | 'epoch'>): Promise<void> => {
    if ((await drain()) === 'epoch') await epochs.renew(epoch);
  };

  const tend = async (): Promise<void> => {
    if (sharedAs !== undefined) {
      const mine = liveProxies();
      proxiesElsewhere = Math.max(0, (await state.beat(sharedAs, mine)) - mine);
    }
    await epochs.tend((epoch) => drainOrRenew(epoch, () => drainer.drainAll(epoch)));
    const epoch = epochs.now();
    await drainOrRenew(epoch, () => drainer.drainPast(epoch));
    if (sharedAs !== undefined) await keeper.loadLeftOvers(epochs.now());
  };

  const moveOn = async (): Promise<void> => {
    const epoch = epochs.now();
    // A block that arrives after the draining would stay out until the epoch closes.
    await keeper.idle();
    await drainOrRenew(epoch, () => drainer.drainAll(epoch));
    await epochs.renew(epoch);
  };

  return {
    epoch: () => epochs.now().id,
    join: (instance, enter) => during(() => members.join(instance, enter)),
    acquire: (request) => during(() => acquire(request)),
    giveBack: (request) => during(() => giveBack(request)),
    settled: async (charges) => {
      const epoch = epochs.now();
      const here = charges
        .filter((charge) => charge.epoch === epoch.id)
        .map(({ instance, charged, ...name }) => ({ instance, key: counterKeyOf(name, name.windowId), charged }));
      if (here.length === 0) return;
      await during(() => state.settled(epoch, here)).catch((fault: unknown) => {
        onFault(fault, 'tell the pool what was charged');
      });
    },
    close: (instance, closing, leave) => during(() => close(instance, closing, leave)),
    balances: async () => {
      try {
        const all = await drainer.balances(epochs.now());
        return all.map(({ key, pooled, leased }) => ({ ...parseCounterKey(key), pooled, leased }));
      } catch (fault) {
        onFault(fault, 'read the balances of the pool');
        return [];
      }
    },
    tend: () => during(tend),
    moveOn: () => during(moveOn),
    stop: async () => {
      stopped = true;
      await Promise.allSettled([...working, keeper.idle()]);
      if (sharedAs === undefined) await drainer.drainAll(epochs.now());
      else await Promise.allSettled([epochs.stop(), state.leave(sharedAs)]);
    },
  };
};
