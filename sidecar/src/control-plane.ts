/**
 * Greets the control plane and keeps the policy up to date, for as long as the process lives. A server that was started
 * anew does not know this instance, so every loss is followed by a new greeting. Calls never wait for it.
 */
import {
  LEDGER_CONTRACT,
  LedgerRefused,
  UNKNOWN_POD,
  type CallerName,
  type CallerReview,
  type CounterName,
  type DegradedReason,
  type DirectConnections,
  type FollowedPolicy,
  type HelloReply,
  type HelloRequest,
  type LeasePort,
  type RunningRequest,
} from '@tollgate/ledger';
import type { Snapshot, Subject } from '@tollgate/api';
import type { Escrow, LedgerSession } from '@tollgate/ledger/escrow';
import type { Logger, Timers } from '@tollgate/runtime';
import { overdraftsOf } from './policy/overdraft-terms.ts';
import type { PolicyFeed } from './policy/policy-feed.ts';

/** All that a proxy asks of the control plane; `@tollgate/ledger/http` for every proxy. */
export interface ControlPlane extends LeasePort, LedgerSession {
  hello(request: HelloRequest): Promise<HelloReply>;
  running(request: RunningRequest): Promise<void>;
  /** Whose token is this? Asked by a gateway. */
  reviewCaller(token: string): Promise<CallerReview>;
  /** Follows this instance's snapshots until the signal is aborted, through every loss of the connection. */
  watchSnapshots(watch: {
    readonly instance: string;
    /** Those of one of its callers instead. */
    readonly caller?: CallerName;
    readonly signal: AbortSignal;
    readonly onSnapshot: (snapshot: Snapshot) => void;
    readonly onRecall?: (counters: readonly CounterName[]) => void;
    /** The server leases from this epoch; told with each heartbeat. */
    readonly onEpoch?: (epoch: string) => void;
    /** Any line came: the control plane is there. */
    readonly onLine?: () => void;
    readonly onFault?: (fault: unknown) => void;
  }): Promise<void>;
}

export interface TouchDeps {
  readonly controlPlane: ControlPlane;
  readonly escrow: Pick<Escrow, 'enterEpoch' | 'recall' | 'setOverdrafts' | 'setPeers'>;
  readonly feed: PolicyFeed;
  readonly instance: string;
  readonly version: string;
  readonly subject: Subject;
  readonly degraded: () => readonly DegradedReason[];
  /** What was found past the proxy in its pod; null: it does not look, or has not yet. */
  readonly direct: () => readonly DirectConnections[] | null;
  /** By whose policies it decides; null: it is no gateway. */
  readonly callers: () => readonly FollowedPolicy[] | null;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly random: () => number;
}

export interface Touch {
  /** A fault came from elsewhere; if it says that this instance is unknown, greets again. */
  heard(fault: unknown): void;
  /** Something about the proxy's own condition changed: the control plane is to know. */
  tell(): void;
  /** Other connections past the proxy are found than before. */
  tellDirect(): void;
  /** Other callers are followed than before, or other versions. */
  tellCallers(): void;
  /** It has answered a greeting, so it knows of this instance. */
  isKnown(): boolean;
  close(): void;
}

/** Milliseconds between greetings that fail; each gets up to half of it more as jitter. */
const RETRY_MS = [50, 100, 250, 500, 1_000, 2_000, 5_000] as const;
const LAST_RETRY_MS = 5_000;
/** Of what runs; a server that is away is greeted again anyway. */
const RUNNING_TRIES = 5;
const RUNNING_AGAIN_MS = 1_000;
/** The list of a gateway's callers is told whole; what changes meanwhile is told with the next. */
const CALLERS_EVERY_MS = 500;
/** A pod is known a moment after it starts, and its first calls wait for that. */
const UNKNOWN_POD_MS = 1_000;

export const keepInTouch = ({
  controlPlane,
  escrow,
  feed,
  instance,
  version,
  subject,
  degraded,
  direct,
  callers,
  logger,
  timers,
  random,
}: TouchDeps): Touch => {
  const stop = new AbortController();
  let greeting = false;
  let failures = 0;
  let watching = false;
  let isKnown = false;
  /** All that we ever heard of. */
  const epochs = new Set<string>();
  /** The reasons as last told. */
  let told = '';
  let isUnknownPod = false;
  let isSaying = false;

  const greet = async (): Promise<void> => {
    if (greeting || stop.signal.aborted) return;
    greeting = true;
    const reasons = degraded();
    told = reasons.join();
    const running = feed.version();
    const found = direct();
    try {
      const { epoch, organisation, liveProxies } = await controlPlane.hello({
        contract: LEDGER_CONTRACT,
        instance,
        version,
        subject,
        ...(reasons.length === 0 ? {} : { degraded: reasons }),
        ...(running === null ? {} : { snapshot: running }),
        ...(found === null ? {} : { direct: found }),
      });
      isKnown = true;
      epochs.add(epoch);
      escrow.enterEpoch(epoch);
      escrow.setPeers(liveProxies);
      feed.heard();
      if (failures > 0) logger.info({ organisation, epoch }, 'control plane is back');
      failures = 0;
      isUnknownPod = false;
      greeting = false;
      watch();
      if (callers() !== null) void sayRunning();
      if (degraded().join() !== told) void greet();
    } catch (fault) {
      greeting = false;
      timers.after(pauseAfter(fault) * (1 + random() / 2), () => void greet()); // Which does nothing once it is closed.
    }
  };

  /** Says once what is the matter; how long to wait before the next greeting. */
  const pauseAfter = (fault: unknown): number => {
    if (fault instanceof LedgerRefused && fault.reason === UNKNOWN_POD) {
      if (!isUnknownPod) logger.info({}, 'waiting until the control plane knows this pod');
      isUnknownPod = true;
      return UNKNOWN_POD_MS;
    }
    if (failures === 0) logger.warn({ err: fault }, 'control plane cannot be reached');
    const pause = RETRY_MS[failures] ?? LAST_RETRY_MS;
    failures += 1;
    return pause;
  };

  const pause = (ms: number): Promise<void> => new Promise((resolve) => timers.after(ms, resolve));

  /** What runs is for the status of budgets: one question at a time, and never in the way of a call. */
  const sayRunning = async (): Promise<void> => {
    if (isSaying) return;
    isSaying = true;
    let said: string | null = null;
    let failed = 0;
    while (failed < RUNNING_TRIES && !stop.signal.aborted) {
      const snapshot = feed.version();
      const found = direct();
      const followed = callers();
      const saying = JSON.stringify([snapshot, found?.map(({ host }) => host), followed]);
      if (snapshot === null || saying === said) break;
      try {
        await controlPlane.running({
          instance,
          snapshot,
          ...(found === null ? {} : { direct: found }),
          ...(followed === null ? {} : { callers: followed }),
        });
        said = saying;
        failed = 0;
        if (followed !== null) await pause(CALLERS_EVERY_MS);
      } catch (fault) {
        // A server of an earlier version knows no such question.
        if (fault instanceof LedgerRefused) break;
        failed += 1;
        await pause(RUNNING_AGAIN_MS * (1 + random()));
      }
    }
    isSaying = false;
  };

  const watch = (): void => {
    if (watching) return;
    watching = true;
    void controlPlane.watchSnapshots({
      instance,
      signal: stop.signal,
      onSnapshot: (snapshot) => {
        const before = feed.version();
        feed.update(snapshot);
        escrow.setOverdrafts(overdraftsOf(snapshot));
        if (before === feed.version()) return;
        logger.info({ snapshot: snapshot.version, count: snapshot.budgets.length }, 'policy in force');
        void sayRunning();
      },
      onRecall: (counters) => escrow.recall(counters),
      onEpoch: (epoch) => {
        // Once each: servers with pools of their own would send us to and fro.
        if (epochs.has(epoch)) return;
        epochs.add(epoch);
        void greet();
      },
      onLine: feed.heard,
      onFault: () => void greet(),
    });
  };

  void greet();
  return {
    heard(fault) {
      if (fault instanceof LedgerRefused && fault.reason === 'unknown_instance') void greet();
    },
    tell: () => {
      // Before the first hello there is nothing to correct.
      if (watching) void greet();
    },
    tellDirect: () => void sayRunning(),
    tellCallers: () => void sayRunning(),
    isKnown: () => isKnown,
    close: () => stop.abort(),
  };
};
