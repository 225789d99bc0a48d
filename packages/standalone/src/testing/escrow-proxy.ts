/** The money of a proxy without its calls: an escrow over HTTP, which greets again and gives back as a proxy does. */
import { randomUUID } from 'node:crypto';
import type { Subject } from '@tollgate/api';
import { LEDGER_CONTRACT, LedgerRefused } from '@tollgate/ledger';
import { makeEscrow, type Escrow, type HoldRequest, type Settlement } from '@tollgate/ledger/escrow';
import { makeHttpLedger } from '@tollgate/ledger/http';
import { makeMemoryDisk, openSpool } from '@tollgate/ledger/spool';
import { monotonicClock, systemTimers } from '@tollgate/runtime';

export interface EscrowProxy {
  readonly instance: string;
  readonly escrow: Escrow;
  /** Faults that it lived through, by what it was doing. */
  readonly faults: readonly string[];
  /** All told and closed, then gone. */
  end(): Promise<void>;
}

export interface EscrowProxyOptions {
  readonly serverUrls: readonly string[];
  readonly token: string;
  readonly subject: Subject;
}

export const startEscrowProxy = async ({ serverUrls, token, subject }: EscrowProxyOptions): Promise<EscrowProxy> => {
  const instance = randomUUID();
  const faults: string[] = [];
  const stop = new AbortController();
  const ledger = makeHttpLedger({ serverUrl: serverUrls, token: () => token, random: Math.random });
  const escrow = makeEscrow({
    port: ledger,
    session: ledger,
    spool: openSpool({ disk: makeMemoryDisk(), defer: setImmediate }),
    clock: monotonicClock,
    now: Date.now,
    timers: systemTimers,
    random: Math.random,
    instance,
    onFault: (fault, doing) => {
      faults.push(`${doing}: ${String(fault)}`);
      if (fault instanceof LedgerRefused && fault.reason === 'unknown_instance') void greet();
    },
  });
  const greet = async (): Promise<void> => {
    const { epoch } = await ledger.hello({ contract: LEDGER_CONTRACT, instance, version: '1', subject });
    escrow.enterEpoch(epoch);
  };
  // A proxy greets until it is heard.
  for (let tries = 1; ; tries += 1) {
    try {
      await greet();
      break;
    } catch (fault) {
      if (tries === 20) throw fault;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const watching = ledger.watchSnapshots({
    instance,
    signal: stop.signal,
    onSnapshot: () => undefined,
    onRecall: (counters) => escrow.recall(counters),
    onFault: () => void greet().catch(() => undefined),
  });
  return {
    instance,
    escrow,
    faults,
    end: async () => {
      await escrow.drain();
      stop.abort();
      await watching;
      ledger.close();
    },
  };
};

export interface CostLimit {
  readonly budget: string;
  readonly limit: string;
  /** Nano-USD. */
  readonly max: bigint;
}

/** One call's hold on the first limit, and in proportion on the others. */
export const aHold = (limits: readonly CostLimit[], amount: bigint, subject: Subject): HoldRequest => ({
  needs: limits.map((limit) => ({ ...limit, ...COST, amount: scaled(amount, limit, limits) })),
  audit: [],
  soft: [],
  waitMs: 5_000,
  head: {
    requestId: randomUUID(),
    attempt: 1,
    subject,
    user: null,
    promptId: null,
    promptVersion: null,
    route: null,
    backend: null,
    provider: 'openai',
    format: 'openai-chat',
    modelAsked: 'gpt-5',
    modelSent: 'gpt-5',
    held: amount,
    priceVersion: null,
    priceRow: null,
    unproven: false,
    stream: false,
    startedAt: Date.now(),
  },
});

const COST = { partition: '', unit: 'cost', count: 'Total' } as const;

const scaled = (amount: bigint, { max }: CostLimit, [first]: readonly CostLimit[]): bigint =>
  (amount * max) / (first?.max ?? max);

/** So much of the limit named, and in proportion of the others. */
export const charging = (charged: bigint, of?: CostLimit): Settlement => ({
  settle: 'usage',
  charged,
  counterCharge: (need) => (charged * need.max) / (of?.max ?? need.max),
  modelAnswered: 'gpt-5',
  usage: { input: 3, output: 4 },
  status: 200,
});
