/** A ledger in a few lines for tests of the escrow: one amount a counter, faults on demand, everything asked kept. */
import { counterKey, type CounterName } from '../../counter.ts';
import type { LedgerEvent } from '../../event.ts';
import {
  LedgerUnavailable,
  type AcquireRequest,
  type AcquireResult,
  type GiveBackRequest,
  type Grant,
  type LeasePort,
} from '../../lease-port.ts';
import type { CloseRequest } from '../../session.ts';
import type { LedgerSession } from '../shipper.ts';
import { openEvent } from '../../wire/sealed-event.ts';

export interface TestLedger extends LeasePort, LedgerSession {
  readonly acquired: AcquireRequest[];
  readonly returned: GiveBackRequest[];
  readonly events: LedgerEvent[];
  readonly batches: number[];
  readonly closed: CloseRequest[];
  /** What each counter has left to lease. */
  readonly pool: Map<string, bigint>;
  readonly settled: Map<string, bigint>;
  epoch: string;
  windowId: string;
  /** Null: later with each lease. */
  windowStart: number | null;
  remainingMs: number | null;
  /** Grants the preference, not just the need. */
  generous: boolean;
  /** Thrown by each question until it is null again. */
  fault: Error | null;
  shipFault: ((events: readonly LedgerEvent[]) => Error | null) | null;
  closeFault: Error | null;
  /** Grants are made and their answers lost. */
  losesReplies: boolean;
  /** Waited for before an acquisition is answered. */
  gate: Promise<void> | null;
}

export const makeTestLedger = (limits: Readonly<Record<string, bigint>>): TestLedger => {
  const granted = new Map<string, AcquireResult>();
  const pool = new Map(Object.entries(limits));
  let leases = 0;

  const grant = (request: AcquireRequest, ledger: TestLedger): AcquireResult => {
    for (const need of request.needs) {
      const key = counterKey(need);
      const limit = limits[key] ?? 0n;
      const have = pool.get(key) ?? 0n;
      if (have >= need.need) continue;
      const left = limit - (ledger.settled.get(key) ?? 0n);
      const reason = need.need > limit ? 'neverFits' : need.need > left ? 'exhausted' : 'held';
      const counter: CounterName = { budget: need.budget, limit: need.limit, partition: need.partition };
      return { granted: false, reason, counter, need: need.need, limit, left, resetMs: ledger.remainingMs };
    }
    const grants = request.needs.map((need): Grant => {
      const key = counterKey(need);
      const have = pool.get(key) ?? 0n;
      const amount = ledger.generous ? (need.prefer < have ? need.prefer : have) : need.need;
      pool.set(key, have - amount);
      leases += 1;
      const { budget, limit, partition } = need;
      const window = { id: ledger.windowId, start: ledger.windowStart ?? leases, end: null };
      const { epoch, remainingMs } = ledger;
      return {
        budget,
        limit,
        partition,
        leaseId: `l${String(leases)}`,
        epoch,
        window,
        remainingMs,
        amount,
        left: have - amount,
      };
    });
    return { granted: true, grants };
  };

  const ledger: TestLedger = {
    acquired: [],
    returned: [],
    events: [],
    batches: [],
    closed: [],
    pool,
    settled: new Map(),
    epoch: 'e1',
    windowId: 'w1',
    windowStart: null,
    remainingMs: null,
    generous: true,
    fault: null,
    shipFault: null,
    closeFault: null,
    losesReplies: false,
    gate: null,
    acquire: async (request) => {
      ledger.acquired.push(request);
      if (ledger.gate) await ledger.gate;
      if (ledger.fault) throw ledger.fault;
      const key = `${request.instance} ${String(request.seq)}`;
      const result = granted.get(key) ?? grant(request, ledger);
      if (result.granted) granted.set(key, result);
      if (ledger.losesReplies) throw new LedgerUnavailable('the reply was lost');
      return result;
    },
    giveBack: async (request) => {
      if (ledger.fault) throw ledger.fault;
      ledger.returned.push(request);
      for (const entry of request.returns)
        pool.set(counterKey(entry), (pool.get(counterKey(entry)) ?? 0n) + entry.amount);
      await Promise.resolve();
    },
    ship: async (batch) => {
      const events = batch.map(openEvent);
      const fault = ledger.fault ?? ledger.shipFault?.(events) ?? null;
      if (fault) throw fault;
      ledger.batches.push(events.length);
      for (const event of events) {
        ledger.events.push(event);
        for (const counter of event.counters) {
          const key = counterKey(counter);
          ledger.settled.set(key, (ledger.settled.get(key) ?? 0n) + counter.charged);
        }
      }
      await Promise.resolve();
      return events.at(-1)?.seq ?? 0;
    },
    closeEpoch: async (request) => {
      const fault = ledger.fault ?? ledger.closeFault;
      if (fault) throw fault;
      ledger.closed.push(request);
      await Promise.resolve();
    },
  };
  return ledger;
};
