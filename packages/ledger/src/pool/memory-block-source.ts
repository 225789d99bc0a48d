import { counterKey, type CounterName } from '../counter.ts';
import { ANY_EPOCH } from '../session.ts';
import { takeNext } from './block-taking.ts';
import type { BlockSource, ChargedInEpoch, CounterTerms } from './block-source.ts';
import { counterKeyOf } from './counter-key.ts';
import { LedgerRequestError } from './ledger-request-error.ts';
import { makeMemorySharedEpochs } from './memory-shared-epochs.ts';
import type { PoolCharge } from './pool.ts';
import { largestSlidingSum, slidingRoomAt, type Bucket } from './sliding-sum.ts';
import { outOf, type CounterTally } from './tally.ts';

/**
 * The durable end of the chain, kept in memory: for tests and for the simulator, where it plays the part of Postgres.
 * It has the store's rules and none of its durability.
 */
export interface MemoryBlockSource extends BlockSource {
  /** What hello does: the instance may join the present epoch, also after it had closed it, but not once it is over. */
  register(instance: string): void;
  /** What a committed batch of events does. */
  settle(charges: readonly PoolCharge[]): void;
  /** Not one that is shared: its successor seals it. */
  sealEpoch(epoch: string): void;
  /** What the instance's charges sum to, by epoch. A sealed epoch that everyone closed refunds the rest. */
  closeInstance(instance: string, epoch: string): readonly ChargedInEpoch[];
  /** Sealed epochs that wait for someone to close them. */
  unclosed(): readonly string[];
  tallies(): readonly CounterTally[];
}

interface Row {
  readonly terms: CounterTerms;
  readonly byEpoch: Map<string, EpochRow>;
}

interface EpochRow {
  /** Of a shared epoch, and not known to have been loaded. */
  readonly unloaded: Map<string, bigint>;
  allocated: bigint;
  refunded: bigint;
  settled: bigint;
  readonly settledBy: Map<string, bigint>;
}

interface EpochState {
  sealed: boolean;
  readonly members: Map<string, 'open' | 'closed'>;
}

export const makeMemoryBlockSource = (): MemoryBlockSource => {
  const rows = new Map<string, Row>();
  /** The same, by counter. */
  const byName = new Map<string, Map<string, Row>>();
  const epochs = new Map<string, EpochState>();
  const instances = new Set<string>();
  const over = new Set<string>();
  const refunds = new Set<string>();
  let blocks = 0;

  const rowFor = (terms: CounterTerms): Row => {
    const key = counterKeyOf(terms, terms.window.id);
    const row = { terms, byEpoch: rows.get(key)?.byEpoch ?? new Map<string, EpochRow>() };
    rows.set(key, row);
    const name = counterKey(terms);
    const windows = byName.get(name) ?? new Map<string, Row>();
    byName.set(name, windows);
    windows.set(key, row);
    return row;
  };

  /** What is out and what is spent, of this window, or of the fullest run of buckets that it belongs to. */
  const sums = (terms: CounterTerms): { out: bigint; spent: bigint; roomFor(need: bigint): number | null } => {
    const sliding = terms.sliding;
    if (!sliding) {
      const tally = tallyOf(rowFor(terms));
      return { out: outOf(tally), spent: tally.settled, roomFor: () => null };
    }
    const { start } = terms.window;
    const reach = (sliding.buckets - 1) * sliding.bucketMs;
    const [out, spent]: [Bucket[], Bucket[]] = [[], []];
    for (const row of byName.get(counterKey(terms))?.values() ?? []) {
      const bucket = row.terms.window.start;
      if (Math.abs(bucket - start) > reach) continue;
      const tally = tallyOf(row);
      out.push({ start: bucket, amount: outOf(tally) });
      spent.push({ start: bucket, amount: tally.settled });
    }
    return {
      out: largestSlidingSum(out, start, sliding),
      spent: largestSlidingSum(spent, start, sliding),
      roomFor: (need) => slidingRoomAt(spent, start, sliding, { max: terms.max, need }),
    };
  };

  const refundEpoch = (epoch: string): void => {
    for (const { byEpoch } of rows.values()) {
      const row = byEpoch.get(epoch);
      if (!row) continue;
      const rest = row.allocated - row.refunded - row.settled;
      // Spent beyond what was leased: a hold was too small. The counter owes it.
      if (rest < 0n) row.allocated -= rest;
      else row.refunded += rest;
    }
  };

  const leave = (instance: string, epoch: string): void => {
    const state = epochs.get(epoch);
    state?.members.set(instance, 'closed');
    if (state?.sealed && everyoneClosed(state)) refundEpoch(epoch);
  };

  const openEpoch = (): string => {
    const id = `epoch-${String(epochs.size + 1)}`;
    epochs.set(id, { sealed: false, members: new Map() });
    return id;
  };

  const sealEpoch = (epoch: string): void => {
    const state = epochs.get(epoch);
    if (!state) return;
    state.sealed = true;
    if (everyoneClosed(state)) refundEpoch(epoch);
  };

  const shared = makeMemorySharedEpochs({ openEpoch, sealEpoch });

  return {
    shared,
    openEpoch: () => Promise.resolve(openEpoch()),
    register: (instance) => {
      if (over.has(instance)) return;
      instances.add(instance);
      for (const { sealed, members } of epochs.values()) {
        if (!sealed && members.get(instance) === 'closed') members.set(instance, 'open');
      }
    },
    join: (epoch, instance) => {
      if (!instances.has(instance)) return Promise.resolve('unknown');
      const state = epochs.get(epoch);
      if (!state || state.sealed) return Promise.resolve('sealed');
      if (state.members.get(instance) === 'closed') return Promise.resolve('unknown');
      state.members.set(instance, 'open');
      return Promise.resolve('joined');
    },
    allocate: ({ epoch, terms, need, short }) => {
      if (epochs.get(epoch)?.sealed !== false) return Promise.resolve({ kind: 'sealed' });
      const row = epochRow(rowFor(terms), epoch);
      const { out, spent, roomFor } = sums(terms);
      const unloaded = [...row.unloaded].map(([id, amount]) => ({ id, amount }));
      const next = takeNext(unloaded, { max: terms.max, out, spent, need, short });
      if (next.kind === 'refused') {
        const roomAt = next.reason === 'exhausted' ? roomFor(need) : null;
        return Promise.resolve({ ...next, spent, ...(roomAt === null ? {} : { roomAt }) });
      }
      if (next.amount === 0n) return Promise.resolve({ kind: 'blocks', blocks: unloaded, free: terms.max - out });
      const block = { id: String((blocks += 1)), amount: next.amount };
      row.allocated += block.amount;
      if (shared.isShared(epoch)) row.unloaded.set(block.id, block.amount);
      const free = terms.max - out - block.amount;
      return Promise.resolve({ kind: 'blocks', blocks: [...unloaded, block], free });
    },
    loaded: (epoch, ids) => {
      for (const { byEpoch } of rows.values()) for (const id of ids) byEpoch.get(epoch)?.unloaded.delete(id);
      return Promise.resolve();
    },
    unloaded: (epoch) =>
      Promise.resolve(
        [...rows.values()].flatMap((row) =>
          [...(row.byEpoch.get(epoch)?.unloaded ?? [])].map(([id, amount]) => ({
            ...nameOf(row.terms),
            id,
            amount,
            windowId: row.terms.window.id,
            windowEnd: row.terms.window.end,
            max: row.terms.max,
            free: row.terms.max - outOf(tallyOf(row)),
          })),
        ),
      ),
    refund: (epoch, id, returns) => {
      if (refunds.has(id) || isClosed(epochs.get(epoch))) return Promise.resolve();
      refunds.add(id);
      for (const back of returns) {
        const row = rows.get(counterKeyOf(back, back.windowId))?.byEpoch.get(epoch);
        if (row) row.refunded += back.amount;
      }
      return Promise.resolve();
    },
    settle: (charges) => {
      for (const charge of charges) {
        const row = rows.get(counterKeyOf(charge, charge.windowId));
        // Nothing was allocated for a need of nothing.
        if (!row && charge.charged === 0n) continue;
        if (!row) throw new LedgerRequestError('unknown_counter', `no block was ever out of ${counterKey(charge)}`);
        const inEpoch = epochRow(row, charge.epoch);
        const { settledBy } = inEpoch;
        inEpoch.settled += charge.charged;
        settledBy.set(charge.instance, (settledBy.get(charge.instance) ?? 0n) + charge.charged);
      }
    },
    sealEpoch: (epoch) => {
      if (!shared.isShared(epoch)) sealEpoch(epoch);
    },
    closeInstance: (instance, epoch) => {
      if (epoch === ANY_EPOCH) {
        over.add(instance);
        instances.delete(instance);
      }
      const joined = [...epochs].filter(([, { members }]) => members.has(instance)).map(([id]) => id);
      const left = epoch === ANY_EPOCH ? joined : [epoch];
      for (const id of left) leave(instance, id);
      return [...rows.values()].flatMap(({ terms, byEpoch }) =>
        left.flatMap((id) => {
          const amount = byEpoch.get(id)?.settledBy.get(instance);
          return amount === undefined ? [] : [{ ...nameOf(terms), windowId: terms.window.id, epoch: id, amount }];
        }),
      );
    },
    unclosed: () => [...epochs].filter(([, state]) => state.sealed && !everyoneClosed(state)).map(([id]) => id),
    tallies: () => [...rows.values()].map(tallyOf),
  };
};

const everyoneClosed = (state: EpochState): boolean => [...state.members.values()].every((life) => life === 'closed');

/** Its rest is refunded already. */
const isClosed = (state: EpochState | undefined): boolean => state?.sealed === true && everyoneClosed(state);

const epochRow = (row: Row, epoch: string): EpochRow => {
  const found: EpochRow = row.byEpoch.get(epoch) ?? {
    unloaded: new Map(),
    allocated: 0n,
    refunded: 0n,
    settled: 0n,
    settledBy: new Map(),
  };
  row.byEpoch.set(epoch, found);
  return found;
};

const tallyOf = ({ terms, byEpoch }: Row): CounterTally => {
  let [allocated, refunded, settled] = [0n, 0n, 0n];
  for (const row of byEpoch.values()) {
    allocated += row.allocated;
    refunded += row.refunded;
    settled += row.settled;
  }
  return { ...nameOf(terms), windowId: terms.window.id, allocated, refunded, settled, unresolved: 0n };
};

const nameOf = ({ budget, limit, partition }: CounterName): CounterName => ({ budget, limit, partition });
