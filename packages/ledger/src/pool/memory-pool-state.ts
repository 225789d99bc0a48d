import { grantedLease } from '@tollgate/budget';
import { parseCounterKey } from './counter-key.ts';
import {
  copyDataset,
  dropExpired,
  emptyDataset,
  emptyInstance,
  emptyVolatile,
  isFenced,
  mirroredCounter,
  type Dataset,
  type StateCounter,
  type StateInstance,
  type Volatile,
  type Weakened,
} from './memory-state-contents.ts';
import {
  REMEMBERED_SEQS,
  SERVER_ALIVE_MS,
  type CounterKey,
  type LeaseAnswer,
  type LeaseRequest,
  type LoadRequest,
  type OpenAnswer,
  type PoolEpoch,
  type PoolState,
  type ReturnAnswer,
  type ReturnRequest,
  type StateBalance,
  type StateGrant,
} from './pool-state.ts';
import { findReply, keepReply } from './remembered-replies.ts';

/**
 * Balances in this process: the server's own pool, and, since it can be emptied, copied and rolled back as Redis can, the
 * model of Redis in the simulator. Each operation is one synchronous step.
 */
export interface MemoryPoolState extends PoolState {
  /** What is here at this moment, believed or not. */
  balances(): readonly StateBalance[];
  /** As a replica or a file on disk has it. */
  copy(): MemoryStateCopy;
  /** FLUSHALL: the process knows what was here, the keys are gone. */
  flush(): void;
  /** The process ends and starts again, with an old copy or with nothing. */
  restart(from: MemoryStateCopy | null): void;
  /** The process lives on with another's older contents: it was a replica of it for a moment. */
  resync(from: MemoryStateCopy): void;
  /** A hand at the keys: HSET. */
  write(key: CounterKey, pooled: bigint): void;
}

/** Opaque: only for `restart` and `resync`. */
export interface MemoryStateCopy {
  readonly dataset: Dataset;
}

export interface MemoryPoolStateDeps {
  /** The state's own time: milliseconds UTC. */
  readonly clock: () => number;
  readonly weakened?: Weakened;
}

const LIBRARY = '';

export const makeMemoryPoolState = ({ clock, weakened = {} }: MemoryPoolStateDeps): MemoryPoolState => {
  let dataset = emptyDataset();
  let volatile: Volatile = emptyVolatile();
  const here = () => ({ dataset, volatile });

  const fenced = (epoch: PoolEpoch): boolean => isFenced(here(), epoch, weakened);
  const changed = (): void => {
    if (!dataset.epoch) return;
    dataset.epoch.changes += 1;
    volatile.changes = dataset.epoch.changes;
  };
  const setPooled = (key: CounterKey, counter: StateCounter, pooled: bigint): void => {
    counter.pooled = pooled;
    volatile.mirror.set(key, pooled);
  };
  /** Each key's counter, or null where one of them is not what was written. */
  const countersOf = (keys: readonly CounterKey[]): readonly (StateCounter | undefined)[] | null => {
    dropExpired(here(), keys, clock());
    const found = keys.map((key) => mirroredCounter(here(), key, weakened));
    return found.includes(null) ? null : found.map((counter) => counter ?? undefined);
  };

  const isOver = (windowEnd: number | null): boolean => windowEnd !== null && clock() >= windowEnd;

  const open = (epoch: PoolEpoch): OpenAnswer => {
    const known = Math.max(dataset.epoch?.number ?? 0, volatile.epoch?.number ?? 0);
    if (dataset.epoch?.id === epoch.id) return fenced(epoch) ? { kind: 'opened' } : { kind: 'lost' };
    if (volatile.epoch?.id === epoch.id) return { kind: 'lost' };
    if (epoch.number <= known) return { kind: 'newer', number: known };
    const { id, number } = epoch;
    dataset = { ...emptyDataset(), servers: dataset.servers, epoch: { id, number, changes: 0, closes: 0 } };
    volatile = { ...emptyVolatile(), epoch: { id, number } };
    return { kind: 'opened' };
  };

  const load = (epoch: PoolEpoch, block: LoadRequest): 'loaded' | 'known' | 'ended' | 'epoch' => {
    if (!fenced(epoch)) return 'epoch';
    const { key, blockId, amount, windowEnd, max, free } = block;
    const counters = countersOf([key]);
    if (!counters) return 'epoch';
    // Forgotten, and with it whether this block was ever here.
    if (!counters[0] && isOver(windowEnd)) return 'ended';
    const counter = counters[0] ?? { pooled: 0n, leased: 0n, max, free, block: amount, windowEnd, blocks: new Map() };
    if (counter.blocks.has(blockId)) return 'known';
    dataset.counters.set(key, counter);
    counter.blocks.set(blockId, amount);
    if (max > counter.max) counter.max = max;
    counter.free = free + counter.max - max;
    counter.block = amount;
    setPooled(key, counter, counter.pooled + amount);
    changed();
    return 'loaded';
  };

  const lease = (epoch: PoolEpoch, request: LeaseRequest): LeaseAnswer => {
    if (!fenced(epoch)) return { kind: 'epoch' };
    const { lines } = request;
    const instance = dataset.instances.get(request.instance);
    if (!instance) return { kind: 'stranger', closes: dataset.epoch?.closes ?? 0 };
    const now = clock();
    const before = findReply(instance.leases, request, REMEMBERED_SEQS);
    if (before === 'reused') return { kind: 'seq_reused' };
    if (before === 'too_old') return { kind: 'seq_too_old' };
    if (before) return { kind: 'granted', now, grants: before.reply, balances: null };
    if (lines.some(({ window }) => now < window.start || (window.end !== null && now >= window.end))) {
      return { kind: 'window', now };
    }
    const counters = countersOf(lines.map(({ key }) => key));
    if (!counters) return { kind: 'epoch' };
    const lowered = lines.flatMap(({ max }, at) => (isAbove(counters[at], max, weakened) ? [at] : []));
    if (lowered.length > 0) return { kind: 'lowered', lines: lowered };
    const pooled = counters.map((counter) => counter?.pooled ?? 0n);
    if (lines.some(({ need }, at) => (pooled[at] ?? 0n) < need)) return { kind: 'short', now, pooled };
    const grants = lines.map((line, at) => grant(instance, line, counters[at], request.liveProxies));
    keepReply(instance.leases, request, grants, REMEMBERED_SEQS);
    changed();
    const balances = counters.map((counter) => ({ pooled: counter?.pooled ?? 0n, block: counter?.block ?? 0n }));
    return { kind: 'granted', now, grants, balances };
  };

  const grant = (
    instance: StateInstance,
    { key, window, max, need, prefer }: LeaseRequest['lines'][number],
    counter: StateCounter | undefined,
    liveProxies: number,
  ): StateGrant => {
    // A need of nothing, of a counter that nothing was ever taken of.
    if (!counter) return { window, amount: 0n, left: max };
    const amount = grantedLease({ need, prefer }, { pool: counter.pooled, liveProxies });
    setPooled(key, counter, counter.pooled - amount);
    counter.leased += amount;
    instance.given.set(key, (instance.given.get(key) ?? 0n) + amount);
    return { window, amount, left: atLeastZero(counter.free + counter.pooled - counter.max + max) };
  };

  const giveBack = (epoch: PoolEpoch, request: ReturnRequest): ReturnAnswer => {
    if (!fenced(epoch)) return { kind: 'epoch' };
    const instance = dataset.instances.get(request.instance) ?? emptyInstance();
    const before = findReply(instance.returns, request, REMEMBERED_SEQS);
    if (before === 'reused') return { kind: 'seq_reused' };
    if (before === 'too_old') return { kind: 'seq_too_old' };
    if (before) return { kind: 'returned' };
    const counters = countersOf(request.returns.map(({ key }) => key));
    if (!counters) return { kind: 'epoch' };
    const exceeds = firstExceeding(instance, request.returns);
    if (exceeds >= 0) return { kind: 'exceeds', line: exceeds };
    request.returns.forEach(({ key, amount }, at) => {
      instance.given.set(key, (instance.given.get(key) ?? 0n) - amount);
      const counter = counters[at];
      if (!counter) return;
      setPooled(key, counter, counter.pooled + amount);
      counter.leased -= amount;
    });
    keepReply(instance.returns, request, true, REMEMBERED_SEQS);
    changed();
    return { kind: 'returned' };
  };

  return {
    library: LIBRARY,
    dialects: [],
    open: async (epoch) => open(epoch),
    isOpen: async (epoch) => fenced(epoch),
    admit: async (epoch, instance, closes) => {
      if (!fenced(epoch)) return { kind: 'epoch' };
      if (dataset.instances.has(instance)) return { kind: 'admitted' };
      const now = dataset.epoch?.closes ?? 0;
      if (closes !== now) return { kind: 'stranger', closes: now };
      dataset.instances.set(instance, emptyInstance());
      changed();
      return { kind: 'admitted' };
    },
    load: async (epoch, block) => load(epoch, block),
    lease: async (epoch, request) => lease(epoch, request),
    giveBack: async (epoch, request) => giveBack(epoch, request),
    settled: async (epoch, charges) => {
      if (!fenced(epoch)) return;
      for (const { instance, key, charged } of charges) {
        const hand = dataset.instances.get(instance);
        if (!hand?.given.has(key)) continue;
        hand.settled.set(key, (hand.settled.get(key) ?? 0n) + charged);
        const counter = dataset.counters.get(key);
        if (counter) counter.leased -= charged;
      }
      changed();
    },
    close: async (epoch, instance, spent) => {
      if (!fenced(epoch)) return 'epoch';
      const hand = dataset.instances.get(instance) ?? emptyInstance();
      const keys = [...hand.given.keys()];
      const counters = countersOf(keys);
      if (!counters) return 'epoch';
      const spentOf = new Map(spent.map(({ key, amount }) => [key, amount]));
      keys.forEach((key, at) => {
        const counter = counters[at];
        if (!counter) return;
        const given = hand.given.get(key) ?? 0n;
        counter.leased -= given - (hand.settled.get(key) ?? 0n);
        setPooled(key, counter, counter.pooled + given - (spentOf.get(key) ?? 0n));
      });
      dataset.instances.delete(instance);
      if (dataset.epoch) dataset.epoch.closes += 1;
      changed();
      return 'closed';
    },
    drain: async (epoch, id, requests) => {
      if (!fenced(epoch)) return { kind: 'epoch' };
      const before = dataset.drains.get(id);
      if (before) return { kind: 'drained', drained: before };
      const counters = countersOf(requests.map(({ key }) => key));
      if (!counters) return { kind: 'epoch' };
      const returns = requests.flatMap(({ key, max }, at) => {
        const counter = counters[at];
        if (!counter) return [];
        if (max !== null) {
          counter.free += max - counter.max;
          counter.max = max;
        }
        const amount = counter.pooled;
        if (amount <= 0n) return [];
        counter.free += amount;
        setPooled(key, counter, 0n);
        return [{ ...parseCounterKey(key), amount }];
      });
      const drained = { id, returns };
      if (returns.length > 0) dataset.drains.set(id, drained);
      changed();
      return { kind: 'drained', drained };
    },
    refunded: async (epoch, id) => {
      if (!fenced(epoch) || !dataset.drains.delete(id)) return;
      changed();
    },
    forget: async (epoch, keys) => {
      if (!fenced(epoch) || !countersOf(keys)) return;
      for (const key of keys) {
        const counter = dataset.counters.get(key);
        if (counter?.pooled !== 0n || counter.leased !== 0n || !isOver(counter.windowEnd)) continue;
        dataset.counters.delete(key);
        volatile.mirror.delete(key);
      }
      changed();
    },
    page: async (epoch) => {
      if (!fenced(epoch)) return { kind: 'epoch' };
      if (!countersOf([...dataset.counters.keys()])) return { kind: 'epoch' };
      const drains = [...dataset.drains.values()];
      return { kind: 'page', now: clock(), counters: balancesOf(dataset), drains, next: null };
    },
    beat: async (server, proxies) => {
      dataset.servers.set(server, { proxies, at: clock() });
      let total = 0;
      for (const [name, { proxies: seen, at }] of dataset.servers) {
        if (clock() - at < SERVER_ALIVE_MS) total += seen;
        else dataset.servers.delete(name);
      }
      return total;
    },
    leave: async (server) => {
      dataset.servers.delete(server);
    },
    sweep: async () => true,

    balances: () => balancesOf(dataset),
    copy: () => ({ dataset: copyDataset(dataset) }),
    flush: () => {
      dataset = emptyDataset();
    },
    restart: (from) => {
      dataset = from ? copyDataset(from.dataset) : emptyDataset();
      volatile = emptyVolatile();
    },
    resync: (from) => {
      dataset = copyDataset(from.dataset);
    },
    write: (key, pooled) => {
      const counter = dataset.counters.get(key);
      if (counter) counter.pooled = pooled;
    },
  };
};

const balancesOf = ({ counters }: Dataset): readonly StateBalance[] =>
  [...counters].map(([key, { windowEnd, pooled, leased }]) => ({ key, windowEnd, pooled, leased }));

/** The first line that is more than the instance has in hand, all lines of a counter together; -1: none is. */
const firstExceeding = (instance: StateInstance, returns: ReturnRequest['returns']): number => {
  const wanted = new Map<CounterKey, bigint>();
  return returns.findIndex(({ key, amount }) => {
    const sum = (wanted.get(key) ?? 0n) + amount;
    wanted.set(key, sum);
    return sum > (instance.given.get(key) ?? 0n) - (instance.settled.get(key) ?? 0n);
  });
};

/**
 * Filled under a higher limit than this; or more is out than this allows, and what is pooled, which came back from hands
 * that had it under the higher one, is a part of that.
 */
const isAbove = (counter: StateCounter | undefined, max: bigint, { lowered = false }: Weakened): boolean =>
  counter !== undefined && (counter.max > max || (!lowered && counter.pooled > 0n && counter.free + max < counter.max));

const atLeastZero = (amount: bigint): bigint => (amount < 0n ? 0n : amount);
