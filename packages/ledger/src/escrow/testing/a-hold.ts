/** Builders for tests of the escrow. */
import type { EventHead } from '../../intent.ts';
import { makeVirtualTime, type VirtualTime } from '../../simulator/virtual-time.ts';
import { makeMemoryDisk, type MemoryDisk } from '../../spool/memory-disk.ts';
import { openSpool, type Spool } from '../../spool/spool.ts';
import { makeEscrow, type Escrow } from '../escrow.ts';
import type { Hold, HoldNeed, HoldRequest, HoldResult, Settlement } from '../hold.ts';
import { makeTestLedger, type TestLedger } from './test-ledger.ts';

export const aHead = (more: Partial<EventHead> = {}): EventHead => ({
  requestId: 'tg-1',
  attempt: 1,
  subject: { namespace: 'shop', workload: 'cart', labels: { app: 'cart' }, team: 'shop' },
  user: null,
  promptId: null,
  promptVersion: null,
  route: null,
  backend: null,
  provider: 'openai',
  format: 'openai-chat',
  modelAsked: 'gpt-5',
  modelSent: 'gpt-5',
  held: 10n,
  priceVersion: 'p1',
  priceRow: null,
  unproven: false,
  stream: false,
  startedAt: 1_000,
  ...more,
});

export const LIMIT = 100_000n;

/** `aNeed(10n)` is 10 of `shop/monthly/cost`. */
export const aNeed = (amount: bigint, more: Partial<HoldNeed> = {}): HoldNeed => ({
  budget: 'shop/monthly',
  limit: 'cost',
  partition: '',
  unit: 'cost',
  count: 'Total',
  amount,
  max: LIMIT,
  ...more,
});

export const KEY = 'shop/monthly/cost';

export const aRequest = (needs: readonly HoldNeed[], more: Partial<HoldRequest> = {}): HoldRequest => ({
  needs,
  audit: [],
  soft: [],
  waitMs: 5_000,
  head: aHead({ held: needs[0]?.amount ?? 0n }),
  ...more,
});

export const charging = (charged: bigint, more: Partial<Settlement> = {}): Settlement => ({
  settle: 'usage',
  charged,
  counterCharge: () => charged,
  modelAnswered: 'gpt-5',
  usage: { input: 3, output: 4 },
  status: 200,
  ...more,
});

export const heldBy = (result: HoldResult): Hold => {
  if (!result.held) throw new Error(`refused: ${result.denied.reason}`);
  return result.hold;
};

export interface Bench {
  readonly time: VirtualTime;
  readonly ledger: TestLedger;
  readonly disk: MemoryDisk;
  readonly spool: Spool;
  readonly escrow: Escrow;
  readonly faults: string[];
}

interface BenchParts {
  readonly disk?: MemoryDisk;
  /** Over `disk`, if nothing else is said. */
  readonly spool?: Spool;
  readonly instance?: string;
  readonly ledger?: TestLedger;
  readonly time?: VirtualTime;
  readonly defer?: (act: () => void) => void;
}

export const aBench = (
  limits: Readonly<Record<string, bigint>> = { [KEY]: LIMIT },
  {
    disk = makeMemoryDisk(),
    spool = openSpool({ disk }),
    instance = 'i1',
    ledger = makeTestLedger(limits),
    time = makeVirtualTime(1_000),
    defer,
  }: BenchParts = {},
): Bench => {
  const faults: string[] = [];
  const escrow = makeEscrow({
    port: ledger,
    session: ledger,
    spool,
    clock: time.clock,
    now: time.clock,
    timers: time.timers,
    random: () => 0.5,
    instance,
    ...(defer === undefined ? {} : { defer }),
    onFault: (_, doing) => faults.push(doing),
  });
  escrow.enterEpoch(ledger.epoch);
  return { time, ledger, disk, spool, escrow, faults };
};
