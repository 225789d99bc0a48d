/**
 * Brings events to the ledger and closes epochs behind them. A batch is one transaction there: when the question resolves,
 * every event of it is stored, and only then does the spool forget it. Events of former lives go first.
 */
import type { CounterHold } from '../intent.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { ANY_EPOCH, type CloseRequest } from '../session.ts';
import type { KeptEvent, Life } from '../spool/journal.ts';
import type { Spool } from '../spool/spool.ts';
import type { SealedEvent } from '../wire/sealed-event.ts';
import { makeBackoff, mayPass } from './retry.ts';
import type { CancelTimer, Timers } from './timers.ts';

/** The part of the ledger that takes events: `http` has it. */
export interface LedgerSession {
  /** Resolves after commit with the highest sequence number of the batch. One instance a batch. */
  ship(events: readonly SealedEvent[]): Promise<number>;
  closeEpoch(request: CloseRequest): Promise<void>;
}

export interface Shipper {
  /** An event was written. */
  notify(): void;
  /** Ships soon, rather than when the batch is full or due. */
  hurry(): void;
  /** Resolves when every event is stored and every epoch that could be closed is closed. */
  drain(): Promise<void>;
  readonly counts: ShipperCounts;
}

export interface ShipperCounts {
  shipped: number;
  /** Events that the ledger will not take as they are. They stay in the spool, and their epochs open. */
  refused: number;
}

export interface ShipperDeps {
  readonly session: LedgerSession;
  readonly spool: Pick<Spool, 'lives' | 'sealed' | 'acked' | 'closed'>;
  readonly timers: Timers;
  readonly random: () => number;
  /** Nothing of this epoch (of any, for `ANY_EPOCH`) is leased, asked for or on its way back. */
  readonly mayClose: (life: Life, epoch: string) => boolean;
  /** The ledger has these events. */
  readonly onStored: (instance: string, seqs: readonly number[]) => void;
  readonly onFault: (fault: unknown, doing: string) => void;
}

export const BATCH_SIZE = 500;
const BATCH_MS = 100;
const HURRY_MS = 5;
/** The batch is too large, or one of its events is not to the ledger's liking: halves find out. */
const SPLITTING = [400, 413, 422];
/** The id is stored already, with another body. */
const CONFLICT = 'event_conflict';

export const makeShipper = ({ session, spool, timers, random, mayClose, onStored, onFault }: ShipperDeps): Shipper => {
  const counts: ShipperCounts = { shipped: 0, refused: 0 };
  const setAside = new Set<KeptEvent>();
  /** Closed by us, refused by the ledger: not asked again in this life. */
  const unclosable = new Set<string>();
  const backoff = makeBackoff(100, 5_000, random);
  let most = BATCH_SIZE;
  let due = 0;
  let cancel: CancelTimer | null = null;
  let running = false;
  let pausing = false;
  let drained: (() => void)[] = [];

  const schedule = (ms: number): void => {
    if (running || pausing) return;
    cancel?.();
    cancel = timers.after(ms, start);
  };

  const start = (): void => {
    cancel?.();
    cancel = null;
    if (running) return;
    running = true;
    due = 0;
    void run().then((isDone) => {
      running = false;
      if (!isDone) {
        pausing = true;
        timers.after(backoff.next(), () => {
          pausing = false;
          start();
        });
        return;
      }
      backoff.reset();
      if (due > 0) schedule(due >= BATCH_SIZE ? 0 : BATCH_MS);
      else finish();
    });
  };

  const finish = (): void => {
    for (const resolve of drained) resolve();
    drained = [];
  };

  /** False: something has to be tried again after a pause. */
  const run = async (): Promise<boolean> => {
    for (const life of [...spool.lives.values()]) {
      for (;;) {
        const batch = nextBatch(life);
        if (batch.length === 0) break;
        if (!(await deliver(life, batch))) return false;
      }
      if (!(await closeEpochs(life))) return false;
    }
    return true;
  };

  const nextBatch = (life: Life): readonly KeptEvent[] => {
    const batch: KeptEvent[] = [];
    for (const event of life.unacked.values()) {
      if (batch.length >= most) break;
      if (!setAside.has(event)) batch.push(event);
    }
    return batch;
  };

  const deliver = async (life: Life, batch: readonly KeptEvent[]): Promise<boolean> => {
    try {
      await session.ship(spool.sealed(batch));
    } catch (fault) {
      onFault(fault, 'ship events');
      if (!(fault instanceof LedgerRefused) || mayPass(fault)) return false;
      if (fault.reason !== CONFLICT && !SPLITTING.includes(fault.status)) return false;
      if (batch.length > 1) {
        most = Math.ceil(batch.length / 2);
        return true;
      }
      // A conflict comes of a settlement that was shipped, but that the disk did not take before a crash. The first word stands.
      if (fault.reason !== CONFLICT) {
        for (const event of batch) setAside.add(event);
        counts.refused += 1;
        return true;
      }
    }
    counts.shipped += batch.length;
    most = Math.min(BATCH_SIZE, most * 2);
    const seqs = batch.map((event) => event.seq);
    spool.acked(life.instance, seqs);
    onStored(life.instance, seqs);
    return true;
  };

  const closeEpochs = async (life: Life): Promise<boolean> => {
    const isAllTold = life.open.size === 0 && life.unacked.size === 0;
    if (isAllTold && life.epochs.has(ANY_EPOCH)) {
      const end = await closeOne(life, ANY_EPOCH);
      if (end === 'again') return false;
      if (end === 'closed') {
        // Last the one that would close them again.
        for (const epoch of life.epochs) if (epoch !== ANY_EPOCH) spool.closed(life.instance, epoch);
        spool.closed(life.instance, ANY_EPOCH);
        return true;
      }
    }
    for (const epoch of [...life.epochs]) {
      if (epoch === ANY_EPOCH || isTouched(life, epoch)) continue;
      const end = await closeOne(life, epoch);
      if (end === 'again') return false;
      if (end === 'closed') spool.closed(life.instance, epoch);
    }
    return true;
  };

  const closeOne = async (life: Life, epoch: string): Promise<'closed' | 'again' | 'not now'> => {
    const key = `${life.instance} ${epoch}`;
    if (unclosable.has(key) || !mayClose(life, epoch)) return 'not now';
    // Some of its intents may be lost: what it took stays charged, and there is nothing more to tell.
    if (life.damaged) return 'closed';
    const end = await tellClosed({ instance: life.instance, epoch, lastSeq: deliveredUpTo(life) });
    if (end !== 'never') return end;
    unclosable.add(key);
    return 'not now';
  };

  /** `never`: not in this life; the next start asks again, and what is left of the lease stays charged until then. */
  const tellClosed = async (request: CloseRequest): Promise<'closed' | 'again' | 'never'> => {
    try {
      await session.closeEpoch(request);
      return 'closed';
    } catch (fault) {
      onFault(fault, 'close an epoch');
      if (!(fault instanceof LedgerRefused)) return 'again';
      // Unknown there: nothing of it is left to close.
      if (fault.reason === 'unknown_instance') return 'closed';
      return mayPass(fault) ? 'again' : 'never';
    }
  };

  return {
    notify: () => {
      due += 1;
      if (due >= BATCH_SIZE) schedule(0);
      else if (cancel === null) schedule(BATCH_MS);
    },
    hurry: () => {
      if (due > 0) schedule(HURRY_MS);
    },
    drain: () =>
      new Promise((resolve) => {
        drained.push(resolve);
        due += 1;
        if (!pausing) start();
      }),
    counts,
  };
};

const isTouched = ({ open, unacked }: Life, epoch: string): boolean => {
  const names = (counters: readonly CounterHold[]): boolean => counters.some((counter) => counter.epoch === epoch);
  for (const { intent } of open.values()) if (names(intent.counters)) return true;
  for (const { epochs } of unacked.values()) if (epochs.includes(epoch)) return true;
  return false;
};

/** Every event up to this number is with the ledger. */
const deliveredUpTo = ({ open, unacked, lastSeq }: Life): number => {
  let first = lastSeq + 1;
  for (const seq of open.keys()) first = Math.min(first, seq);
  for (const seq of unacked.keys()) first = Math.min(first, seq);
  return first - 1;
};
