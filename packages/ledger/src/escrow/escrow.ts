/**
 * The proxy's end of the escrow chain (design §4.5–4.9): leases ahead of need, holds drawn on them without a round trip,
 * settlements that give back what was not spent, events that reach the ledger exactly once.
 */
import type { CounterName } from '../counter.ts';
import type { LeasePort } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { ANY_EPOCH, type CloseRequest } from '../session.ts';
import type { Life } from '../spool/journal.ts';
import type { Spool, SpoolTrouble } from '../spool/spool.ts';
import { makeAcquire, type Acquire } from './acquisition.ts';
import { makeAdmissionQueue } from './admission-queue.ts';
import { makeAuditLeases } from './audit-leases.ts';
import { makeCounterStates } from './counter-state.ts';
import { EscrowClosed } from './escrow-closed.ts';
import { makeGiveBacks } from './give-backs.ts';
import { handOut, isOpenHold, type Hold, type HoldRequest, type HoldResult, type Settlement } from './hold.ts';
import { makeHolds } from './holds.ts';
import { makeLeases, type InHand } from './leases.ts';
import { makeOutage } from './outage.ts';
import { makeOverdrafts, type OverdraftTerms } from './overdrafts.ts';
import { settleInterrupted } from './recover.ts';
import { makeRelief } from './relief.ts';
import { makeShipper, type LedgerSession } from './shipper.ts';
import type { Timers } from './timers.ts';
import { makeUnackedCharges } from './unacked-charges.ts';

export interface Escrow {
  /**
   * Synchronous while the leases in hand suffice, but for the write of its intent, which is on disk when the hold is handed
   * out. Throws `LedgerUnavailable` after
   * 3 s of silence, `SpoolFault` where the disk takes no intent, `EscrowClosed` while draining, an `AbortError`.
   */
  openHold(request: HoldRequest): HoldResult | Promise<HoldResult>;
  /** Exactly once a hold; a second time changes nothing and is counted. */
  settle(hold: Hold, settlement: Settlement): void;
  /** Last known remaining money of a counter in its present window, our own free balance included; null = never heard of. */
  left(name: CounterName): bigint | null;
  /** The epoch that hello named: leases come from it, and it is closed when this proxy ends. */
  enterEpoch(epoch: string): void;
  /** Of the budgets in force: shares are taken ahead of need, and kept for an outage. */
  setOverdrafts(terms: readonly OverdraftTerms[]): void;
  /** How many proxies the ledger serves: overdrafts are shared among them. */
  setPeers(count: number): void;
  /** Others wait for these: gives back what is free. */
  recall(names: readonly CounterName[]): void;
  inHand(): readonly InHand[];
  stats(): EscrowStats;
  /**
   * No new holds; waits for the open ones, gives everything back, ships until acknowledged, closes. Without an end while
   * the ledger is away: bound it by `signal`, after which nothing more is done here, and the next start finishes from the
   * spool.
   */
  drain(signal?: AbortSignal): Promise<void>;
}

export interface EscrowStats {
  readonly openHolds: number;
  readonly acquisitions: number;
  readonly holdViolations: number;
  readonly doubleSettles: number;
  readonly interrupted: number;
  readonly pendingEvents: number;
  readonly shippedEvents: number;
  readonly refusedEvents: number;
  readonly leases: number;
  /** Milliseconds for which the ledger has not said a word about leases that calls wait for; null = it answers. */
  readonly outageMs: number | null;
  /** Nano-USD of overdrafts in hand, and attempts that drew on one. */
  readonly overdraftLeft: bigint;
  readonly overdrawn: number;
  /** In the outage at hand. */
  readonly isOverdrawing: boolean;
  readonly spoolTrouble: SpoolTrouble | null;
}

export interface EscrowDeps {
  readonly port: LeasePort;
  readonly session: LedgerSession;
  readonly spool: Spool;
  /** Monotonic milliseconds: windows end by them. */
  readonly clock: () => number;
  /** Milliseconds UTC, for reports. */
  readonly now: () => number;
  readonly timers: Timers;
  readonly random: () => number;
  /** This process life: random, never used before. */
  readonly instance: string;
  /** Runs something at the end of the turn at hand. With it the intents of a turn are one write; without, one each. */
  readonly defer?: (act: () => void) => void;
  /** Faults that are retried or survived, for the log. */
  readonly onFault?: (fault: unknown, doing: string) => void;
}

const TEND_MS = 5_000;
/** A disk that mends, or a folder that is gone, is noticed so soon. */
const TEND_DISK_MS = 1_000;
const DRAIN_TURN_MS = 10;

export const makeEscrow = (deps: EscrowDeps): Escrow => {
  const { port, session, spool, clock, random, instance, now } = deps;
  /** Draining was cut short: the process is going, and what is left is its next life's. */
  let isOver = false;
  const timers: Timers = {
    after: (ms, act) =>
      deps.timers.after(ms, () => {
        if (!isOver) act();
      }),
  };
  const closedEpochs = new Set<string>();
  let currentEpoch: string | null = null;
  let lastFault: unknown;
  let seq = 0;
  let acquisitions = 0;
  /** Acquisitions without an answer yet. */
  let asked = 0;
  let isEnding = false;
  let onNoneOpen: (() => void) | null = null;

  const onFault = (fault: unknown, doing: string): void => {
    lastFault = fault;
    deps.onFault?.(fault, doing);
  };
  /** One numbering for acquisitions and give-backs: unique either way a ledger keeps them. */
  const nextSeq = (): number => (seq += 1);

  // Before anything else is written: the seqs of the old lives are theirs.
  const interrupted = settleInterrupted(spool, now());
  const own = spool.life(instance);
  const states = makeCounterStates();
  const unacked = makeUnackedCharges();
  const giveBacks = makeGiveBacks({ port, instance, nextSeq, timers, random, onFault });
  const leases = makeLeases({
    states,
    giveBacks,
    spool,
    instance,
    isOver: (epoch) => closedEpochs.has(epoch),
    isCurrent: (epoch) => currentEpoch === null || epoch === currentEpoch,
    onFault,
  });
  const holds = makeHolds({
    states,
    leases,
    unacked,
    spool,
    instance,
    firstSeq: own.lastSeq + 1,
    now,
    defer: deps.defer ?? null,
    onGivenUp: () => {
      queue.pump();
      if (holds.counts.open === 0) onNoneOpen?.();
    },
    onFault,
  });
  const askLedger = makeAcquire({ port, instance, nextSeq, clock, timers, random, isEnding: () => isEnding, onFault });

  const outage = makeOutage();

  const acquire: Acquire = async (needs, isWanted) => {
    acquisitions += 1;
    asked += 1;
    try {
      const answer = await askLedger(needs, isWanted);
      if (answer !== null) outage.heard();
      if (answer?.result.granted === true) enterEpoch(answer.result.grants[0]?.epoch ?? null);
      return answer;
    } finally {
      asked -= 1;
    }
  };

  const enterEpoch = (epoch: string | null): void => {
    if (epoch === null || epoch === currentEpoch || closedEpochs.has(epoch)) return;
    currentEpoch = epoch;
    writeEpoch(epoch);
  };

  const writeEpoch = (epoch: string): void => {
    try {
      spool.epoch(instance, epoch);
    } catch (fault) {
      onFault(fault, 'write an epoch down');
    }
  };

  const mayClose = (life: Life, epoch: string): boolean => {
    if (life !== own) return true;
    if (epoch === ANY_EPOCH) return isEnding && asked === 0 && leases.isIdle();
    return (isEnding ? asked === 0 : epoch !== currentEpoch) && leases.isIdle(epoch);
  };

  const closeEpoch = async (request: CloseRequest): Promise<void> => {
    await session.closeEpoch(request);
    if (request.instance === instance) closedEpochs.add(request.epoch);
  };

  const shipper = makeShipper({
    session: { ship: (events) => session.ship(events), closeEpoch },
    spool,
    timers,
    random,
    mayClose,
    onStored: (of, seqs) => {
      if (of === instance) unacked.acked(seqs);
    },
    onFault,
  });
  const overdrafts = makeOverdrafts({ states, leases, acquire, outage, clock, onFault });
  let lastOverdrawnAt = -Infinity;
  const queue = makeAdmissionQueue({
    take: ({ request, head, needs }, at) => holds.take(request, at, { head, needs, isOverdrawn: false }),
    overdraw: ({ request, head, needs }, at) => {
      const covered = overdrafts.cover(needs, at);
      const hold = covered && holds.take(request, at, { head, needs: covered, isOverdrawn: true });
      if (hold !== null) lastOverdrawnAt = at;
      return hold;
    },
    onSilence: (at) => {
      // One that refuses is there.
      if (!(lastFault instanceof LedgerRefused)) outage.declare(at);
    },
    states,
    leases,
    acquire,
    clock,
    timers,
    random,
    lastFault: () => lastFault,
    onHeld: (state) => {
      shipper.hurry();
      relief.seek(state, () => state.waiting > 0);
    },
  });
  const relief = makeRelief({
    loose: holds.loose,
    tighten: holds.tighten,
    onFreed: (state) => {
      if (state.waiting > 0) queue.pump();
      else leases.recall(state);
    },
  });
  const audits = makeAuditLeases({ states, leases, acquire, clock, timers });

  const openSlowly = async (request: HoldRequest, isAuditReady: boolean): Promise<HoldResult> => {
    if (!isAuditReady) await audits.prepare(request.audit);
    if (isEnding) throw new EscrowClosed('the proxy is draining');
    return queue.join(request);
  };

  const tend = (): void => {
    const at = clock();
    leases.trim(at);
    overdrafts.tend(at);
    queue.pump();
    if (own.epochs.size > 1) shipper.notify();
    cancelTend = timers.after(TEND_MS, tend);
  };
  let cancelTend = timers.after(TEND_MS, tend);

  const tendDisk = (): void => {
    spool.tend();
    cancelTendDisk = timers.after(TEND_DISK_MS, tendDisk);
  };
  let cancelTendDisk = timers.after(TEND_DISK_MS, tendDisk);

  const pause = (ms: number): Promise<void> => new Promise((resolve) => void timers.after(ms, resolve));

  const noneOpen = async (): Promise<void> => {
    if (holds.counts.open === 0) return;
    await new Promise<void>((resolve) => {
      onNoneOpen = resolve;
    });
  };

  const windDown = async (): Promise<void> => {
    await noneOpen();
    // What is still asked for is heard out, so that it can be given back; at least one turn, for answers on their way.
    do await pause(DRAIN_TURN_MS);
    while (asked > 0);
    leases.retireAll();
    await giveBacks.flush();
    await shipper.drain();
  };

  // Before hello: the ledger may let us into an epoch, and its answer be lost with this process. The next life closes it.
  writeEpoch(ANY_EPOCH);
  if (spool.lives.size > 1) shipper.notify();

  return {
    openHold: (request) => {
      if (isEnding) throw new EscrowClosed('the proxy is draining');
      const at = clock();
      const isAuditReady = request.audit.length === 0 || audits.isReady(request.audit, at);
      const hold = isAuditReady ? holds.take(request, at, null) : null;
      return hold ? handOut(hold) : openSlowly(request, isAuditReady);
    },
    settle: (hold, settlement) => {
      if (!isOpenHold(hold)) throw new TypeError('this hold was not given by this escrow');
      const wakes = holds.settle(hold, settlement);
      shipper.notify();
      if (wakes) queue.pump();
      if (holds.counts.open === 0) onNoneOpen?.();
    },
    left: (name) => {
      const state = states.find(name);
      if (!state) return null;
      const inHand = leases.usable(state, clock())?.balance ?? 0n;
      if (state.beyond === null) return null;
      const left = state.beyond + inHand;
      // A limit that was lowered below what is spent.
      return left < 0n ? 0n : left;
    },
    enterEpoch,
    setOverdrafts: (terms) => {
      // What is leased once all goes back would never come back.
      if (!isEnding) overdrafts.set(terms);
    },
    setPeers: overdrafts.setPeers,
    recall: (names) => {
      for (const name of names) {
        const state = states.find(name);
        if (!state) continue;
        leases.recall(state);
        // What is free may be little of it: others wait for what is held here too.
        if (!state.isReserve) relief.seek(state, () => true);
      }
    },
    inHand: leases.inHand,
    stats: () => {
      const { unacked } = spool.stats();
      const since = outage.since();
      return {
        openHolds: holds.counts.open,
        acquisitions,
        holdViolations: holds.counts.holdViolations,
        doubleSettles: holds.counts.doubleSettles,
        interrupted,
        pendingEvents: unacked,
        shippedEvents: shipper.counts.shipped,
        refusedEvents: shipper.counts.refused,
        leases: leases.inHand().length,
        outageMs: since === null ? null : clock() - since,
        overdraftLeft: overdrafts.inHand(),
        overdrawn: holds.counts.overdrawn,
        isOverdrawing: since !== null && lastOverdrawnAt >= since,
        spoolTrouble: spool.trouble(),
      };
    },
    drain: async (signal) => {
      isEnding = true;
      cancelTend();
      queue.close();
      try {
        await untilAborted(windDown(), signal);
      } finally {
        isOver = true;
        cancelTendDisk();
      }
    },
  };
};

const untilAborted = (work: Promise<void>, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(new DOMException('draining was cut short: the next start finishes it', { name: 'AbortError' }));
    };
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject);
  });
