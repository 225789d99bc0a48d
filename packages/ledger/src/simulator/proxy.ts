/** A simulated proxy: production escrow and spool over a disk that survives it, and callers that use it. */
import { makeEscrow, type Escrow } from '../escrow/escrow.ts';
import { isOpenHold, type Hold, type HoldNeed, type Settlement } from '../escrow/hold.ts';
import { LedgerUnavailable } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import type { CounterHold } from '../intent.ts';
import { makeMemoryDisk } from '../spool/memory-disk.ts';
import { openSpool, type Spool } from '../spool/spool.ts';
import { makeProcessLife, type CrashPoint, type ProcessLife } from './life.ts';
import type { Network } from './network.ts';
import type { Breakage } from './profile.ts';
import type { Provider } from './provider.ts';
import type { Random } from './random.ts';
import type { SimulatedServer } from './server.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimulatedProxy {
  /** The present life; null while the process is down. */
  current(): RunningLife | null;
  start(crash: CrashPoint | null): void;
  kill(): void;
  /** One call from beginning to end. */
  call(needs: CallNeeds): Promise<void>;
  readonly counts: { held: number; refused: number; failed: number };
}

export interface RunningLife {
  readonly instance: string;
  readonly escrow: Escrow;
  readonly spool: Spool;
  readonly life: ProcessLife;
}

export interface CallNeeds {
  readonly hard: readonly HoldNeed[];
  readonly soft: readonly HoldNeed[];
  readonly waitMs: number;
}

export interface SimulatedProxyDeps {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: Network;
  readonly server: SimulatedServer;
  readonly provider: Provider;
  readonly broken: Breakage;
  /** Of attempts, that cost more than their holds. */
  readonly unsound: number;
}

const GREET_MS = 500;
/** Small, so that every run begins and removes files. */
const SEGMENT_BYTES = 4_096;

export const makeSimulatedProxy = (deps: SimulatedProxyDeps): SimulatedProxy => {
  const { name, time, random, network, server, provider, broken, unsound } = deps;
  const { files } = makeMemoryDisk();
  const counts = { held: 0, refused: 0, failed: 0 };
  let lives = 0;
  let current: RunningLife | null = null;

  const start = (crash: CrashPoint | null): void => {
    lives += 1;
    const instance = `${name}.${String(lives)}`;
    const life = makeProcessLife(() => {
      current = null;
    });
    try {
      const timers = life.timers(time.timers);
      const disk = life.disk(makeMemoryDisk(files), crash);
      const spool = broken.spool(openSpool({ disk, segmentBytes: SEGMENT_BYTES, defer: (act) => void timers.after(0, act) }));
      const escrow = makeEscrow({
        port: {
          acquire: (request) => network.ask(life, () => server.acquire(request)),
          giveBack: (request) => network.ask(life, () => server.giveBack(request)),
        },
        session: {
          ship: (events) => network.ask(life, () => server.ship(events)),
          closeEpoch: (request) => network.ask(life, () => server.closeEpoch(request)),
        },
        spool,
        clock: time.clock,
        now: time.clock,
        timers,
        random: random.next,
        instance,
        onFault: (fault) => {
          if (fault instanceof LedgerRefused && fault.reason === 'unknown_instance') void greet();
        },
      });
      let greeting = false;
      const greet = async (): Promise<void> => {
        if (greeting) return;
        greeting = true;
        for (let isDone = false; !isDone && life.isAlive();) {
          try {
            escrow.enterEpoch(await network.ask(life, () => server.hello(instance)));
            isDone = true;
          } catch {
            await new Promise<void>((resolve) => void time.timers.after(GREET_MS, resolve));
          }
        }
        greeting = false;
      };
      if (!life.isAlive()) return;
      current = { instance, escrow, spool, life };
      void greet();
    } catch (fault) {
      if (life.isAlive()) throw fault;
    }
  };

  const call = async ({ hard, soft, waitMs }: CallNeeds): Promise<void> => {
    const running = current;
    if (!running) return;
    const { escrow, life, instance } = running;
    try {
      const result = await escrow.openHold({ needs: hard, audit: [], soft, waitMs, head: headOf(hard, time.clock()) });
      if (!life.isAlive()) return;
      if (!result.held) {
        counts.refused += 1;
        return;
      }
      counts.held += 1;
      const settlement = await attempt(instance, result.hold);
      if (!life.isAlive()) return;
      escrow.settle(result.hold, settlement);
      broken.afterSettle(escrow, result.hold, settlement);
    } catch (fault) {
      // A ledger that was away too long. What a dead process still throws is nobody's.
      if (!life.isAlive()) return;
      if (!(fault instanceof LedgerUnavailable)) throw fault;
      counts.failed += 1;
    }
  };

  /** What becomes of it at the provider does not hang on whether the proxy lives to hear. */
  const attempt = async (instance: string, hold: Hold): Promise<Settlement> => {
    const bound = hold.head.held;
    const ending = random.pick(['usage', 'usage', 'usage', 'unknown', 'abandoned', 'void'] as const);
    const isOver = random.chance(unsound);
    const share = BigInt(random.between(0, 1_000));
    const cost = ending === 'void' ? 0n : isOver ? bound + share : (bound * share) / 1_000n;
    await new Promise<void>((resolve) => void time.timers.after(random.between(1, 50), resolve));
    provider.bill({ instance, seq: hold.seq, cost, counters: countersOf(hold) });
    await new Promise<void>((resolve) => void time.timers.after(random.between(1, 1_500), resolve));
    return broken.settlement(settlementOf(ending, cost, bound));
  };

  return {
    current: () => current,
    start,
    kill: () => current?.life.kill(),
    call,
    counts,
  };
};

const settlementOf = (ending: 'usage' | 'unknown' | 'abandoned' | 'void', cost: bigint, bound: bigint): Settlement => {
  const most = cost > bound ? cost : bound;
  const charged =
    ending === 'void' ? 0n : ending === 'unknown' ? most : ending === 'abandoned' ? (cost + most) / 2n : cost;
  return {
    settle: ending === 'unknown' ? 'hold' : ending,
    charged,
    counterCharge: (need) => (need.unit === 'requests' ? (ending === 'void' ? 0n : 1n) : charged),
    modelAnswered: null,
    usage: {},
    status: 200,
  };
};

const countersOf = (hold: Hold): readonly CounterHold[] =>
  isOpenHold(hold)
    ? hold.legs.map(({ need: { budget, limit, partition, amount }, lease }) => ({
        budget,
        limit,
        partition,
        held: amount,
        windowId: lease?.windowId ?? '',
        epoch: lease?.epoch ?? '',
      }))
    : [];

const headOf = (needs: readonly HoldNeed[], now: number) => ({
  requestId: `tg-${String(now)}`,
  attempt: 1,
  subject: { namespace: 'sim', workload: 'sim', labels: {}, team: 'sim' },
  user: null,
  promptId: null,
  promptVersion: null,
  route: null,
  backend: null,
  provider: 'sim',
  format: 'sim',
  modelAsked: null,
  modelSent: null,
  held: needs.find((need) => need.unit === 'cost')?.amount ?? 0n,
  priceVersion: null,
  priceRow: null,
  unproven: false,
  stream: false,
  startedAt: Math.floor(now),
});
