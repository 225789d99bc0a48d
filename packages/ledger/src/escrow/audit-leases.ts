/** Leases for Audit counters: asked for as Hard would, but never waited for beyond a moment, and never in anybody's way. */
import type { Acquire } from './acquisition.ts';
import { leaseSize, type CounterState, type CounterStates } from './counter-state.ts';
import type { HoldNeed } from './hold.ts';
import type { Leases } from './leases.ts';
import type { Timers } from './timers.ts';

export interface AuditLeases {
  /** Every need is covered by a lease in hand, or known to be refused. */
  isReady(needs: readonly HoldNeed[], now: number): boolean;
  /** Asks for what is missing; resolves when it is known, or when knowing takes too long. */
  prepare(needs: readonly HoldNeed[]): Promise<void>;
}

export interface AuditLeasesDeps {
  readonly states: CounterStates;
  readonly leases: Leases;
  readonly acquire: Acquire;
  readonly clock: () => number;
  readonly timers: Timers;
}

/** Longer than a lease takes, shorter than anybody notices. */
const MOST_WAIT_MS = 250;
/** A no is believed for so long: a budget that is gone costs one question a second, not one a call. */
const NO_MS = 1_000;

export const makeAuditLeases = ({ states, leases, acquire, clock, timers }: AuditLeasesDeps): AuditLeases => {
  const isCovered = (need: HoldNeed, now: number): boolean => {
    const state = states.of(need, need.max);
    const { auditNo } = state;
    if (auditNo !== null && now < auditNo.until && need.amount >= auditNo.need) return true;
    const lease = leases.usable(state, now);
    return lease !== null && lease.balance >= need.amount;
  };

  const isReady = (needs: readonly HoldNeed[], now: number): boolean => needs.every((need) => isCovered(need, now));

  const askAll = async (needs: readonly HoldNeed[], deadline: number): Promise<void> => {
    while (clock() < deadline) {
      const missing = needs.filter((need) => !isCovered(need, clock()));
      if (missing.length === 0) return;
      await Promise.all(missing.map((need) => askOnce(states.of(need, need.max), need.amount)));
    }
  };

  /** One question a counter at a time: those that come meanwhile look at its answer, and ask again if that did not do. */
  const askOnce = (state: CounterState, amount: bigint): Promise<void> =>
    (state.auditAsking ??= ask(state, amount).finally(() => {
      state.auditAsking = null;
    }));

  const ask = async (state: CounterState, amount: bigint): Promise<void> => {
    const need = amount - (state.lease?.balance ?? 0n);
    const size = leaseSize(state);
    const answer = await acquire([{ ...state.name, need, prefer: size > need ? size : need }], () => true);
    if (answer === null) return;
    const { result, askedAt } = answer;
    const now = clock();
    if (result.granted) for (const grant of result.grants) leases.grant(state, grant, askedAt, now);
    else state.auditNo = { reason: result.reason, need: amount, until: now + Math.min(NO_MS, result.resetMs ?? NO_MS) };
  };

  return {
    isReady,
    prepare: (needs) =>
      new Promise((resolve) => {
        const cancel = timers.after(MOST_WAIT_MS, resolve);
        const done = (): void => {
          cancel();
          resolve();
        };
        // Audit changes no byte: a ledger that cannot be asked is no reason to hold a call up.
        askAll(needs, clock() + MOST_WAIT_MS).then(done, done);
      }),
  };
};
