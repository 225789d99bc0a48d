import { LedgerUnavailable } from '../lease-port.ts';
import type { BlockSource } from './block-source.ts';
import type { PoolEpoch, PoolState } from './pool-state.ts';
import { dialectOf, mayOpen, shouldUpgrade, type PoolProcess } from './shared-epochs.ts';

/** Which epoch this pool leases from, and how it comes to the next. */
export interface PoolEpochs {
  now(): PoolEpoch;
  /** `over` is sealed, or the state has lost it: on to the one that is current, or to a new one. At once for all who ask. */
  renew(over: PoolEpoch): Promise<void>;
  /** Follows what other servers did meanwhile. `drain` empties the running epoch before its successor is opened. */
  tend(drain: (epoch: PoolEpoch) => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

export interface PoolEpochsDeps {
  readonly state: PoolState;
  readonly source: BlockSource;
}

/** A pool of one server: nobody else knows its epochs. */
export const openPrivateEpochs = async ({ state, source }: PoolEpochsDeps): Promise<PoolEpochs> => {
  const openNext = async (number: number): Promise<PoolEpoch> => {
    const epoch = { id: await source.openEpoch(), number, library: state.library };
    const answer = await state.open(epoch);
    if (answer.kind !== 'opened') throw new LedgerUnavailable('a state that others use was given to a pool of its own');
    return epoch;
  };
  let epoch = await openNext(1);
  const single = makeSingleFlight();
  return {
    now: () => epoch,
    renew: async (over) => {
      if (over.id !== epoch.id) return;
      await single(async () => {
        epoch = await openNext(epoch.number + 1);
      });
    },
    tend: async () => undefined,
    stop: async () => undefined,
  };
};

/** How often a server tries to agree with others on an epoch before it gives up for now. */
const MOST_STEPS = 20;

/** The pool that all servers share. What is current is written in the source; only its maker opens it in the state. */
export const joinSharedEpochs = async (
  { state, source: { shared } }: PoolEpochsDeps,
  server: string,
): Promise<PoolEpochs> => {
  const self: PoolProcess = { id: server, library: state.library, dialects: state.dialects };

  const canCall = (library: string): boolean => library === '' || state.dialects.includes(dialectOf(library));
  const checkCallable = (epoch: PoolEpoch): PoolEpoch => {
    if (canCall(epoch.library)) return epoch;
    throw new LedgerUnavailable(`the pool runs on library ${epoch.library}, which this server cannot call yet`);
  };

  /** The current epoch where it lives, else a new one. */
  const settle = async (over: PoolEpoch | null): Promise<PoolEpoch> => {
    let current = await shared.current();
    let above = 0;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      if (current && current.id !== over?.id && (await state.isOpen(checkCallable(current)))) return current;
      const processes = await shared.attend(self);
      if (!mayOpen(state.library, processes)) {
        throw new LedgerUnavailable(`a running server cannot call library ${state.library} yet`);
      }
      const next = await shared.succeed({ previous: current?.id ?? null, library: state.library, above });
      current = next.epoch;
      if (!next.made) continue;
      const opened = await state.open(current);
      if (opened.kind === 'opened') return current;
      // Postgres has lost its last commits, or another maker was faster: only a higher number will do.
      if (opened.kind === 'newer') above = opened.number;
    }
    throw new LedgerUnavailable('the servers could not agree on an epoch');
  };

  await shared.attend(self);
  let epoch = await settle(null);
  const single = makeSingleFlight();
  const renew = async (over: PoolEpoch): Promise<void> => {
    if (over.id !== epoch.id) return;
    await single(async () => {
      epoch = await settle(over);
    });
  };

  return {
    now: () => epoch,
    renew,
    tend: async (drain) => {
      const processes = await shared.attend(self);
      const current = await shared.current();
      if (current && current.id !== epoch.id) await renew(epoch);
      else if (shouldUpgrade(epoch.library, state.library, processes)) {
        await drain(epoch);
        await renew(epoch);
      }
      const unswept = await shared.unswept();
      if (unswept.length > 0 && (await state.sweep(epoch, unswept))) await shared.swept(unswept);
    },
    stop: async () => {
      await shared.depart(server);
    },
  };
};

/** Who asks while it runs waits for the same run. */
const makeSingleFlight = (): ((work: () => Promise<void>) => Promise<void>) => {
  let running: Promise<void> | null = null;
  return async (work) => {
    running ??= work().finally(() => {
      running = null;
    });
    await running;
  };
};
