/**
 * A server's life: the production pool over the simulated Redis and Postgres, which it shares with the other servers. What
 * is asked and answered passes through the wire's own codec.
 */
import type { CounterName } from '../counter.ts';
import { LedgerUnavailable, type AcquireRequest, type AcquireResult, type GiveBackRequest } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import type { CounterTerms } from '../pool/block-source.ts';
import { makeLedgerClock, type LedgerClock } from '../pool/ledger-clock.ts';
import { LedgerRequestError } from '../pool/ledger-request-error.ts';
import { makePool } from '../pool/make-pool.ts';
import type { PoolState } from '../pool/pool-state.ts';
import type { Pool } from '../pool/pool.ts';
import type { CloseRequest, HelloReply } from '../session.ts';
import { decodeEvents } from '../wire/event-wire.ts';
import {
  decodeAcquireRequest,
  decodeAcquireResult,
  decodeGiveBack,
  encodeAcquireRequest,
  encodeAcquireResult,
  encodeGiveBack,
} from '../wire/lease-wire.ts';
import { encodeSealed, type SealedEvent } from '../wire/sealed-event.ts';
import { makeProcessLife, type ProcessLife } from './life.ts';
import type { Mutation } from './mutation.ts';
import type { PostgresClient, SimulatedPostgres } from './postgres.ts';
import type { SimulatedRedis } from './redis.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimulatedServer {
  life(): ProcessLife | null;
  hello(instance: string): Promise<Welcome>;
  acquire(request: AcquireRequest): Promise<AcquireResult>;
  giveBack(request: GiveBackRequest): Promise<void>;
  ship(events: readonly SealedEvent[]): Promise<number>;
  closeEpoch(request: CloseRequest): Promise<void>;
  /** Ends with everything its memory held. */
  kill(): void;
  /** Ends in order. */
  stop(): Promise<void>;
  /** Starts, as soon as Postgres and Redis let it. */
  start(): Promise<void>;
}

export type Welcome = Pick<HelloReply, 'epoch' | 'liveProxies'>;

export interface SimulatedServerDeps {
  readonly index: number;
  readonly postgres: SimulatedPostgres;
  readonly redis: SimulatedRedis;
  readonly time: VirtualTime;
  readonly resolve: (name: CounterName, now: number) => CounterTerms | null;
  /** Milliseconds since 1970 by this server. */
  readonly clock: () => number;
  readonly proxies: () => number;
  readonly commit: Mutation['commit'];
  /** Others wait for this counter. */
  readonly recall: (counter: CounterName, except: string | null) => void;
}

interface RunningServer {
  readonly life: ProcessLife;
  readonly pool: Pool;
  readonly client: PostgresClient;
}

const START_AGAIN_MS = 500;
const TEND_MS = 8_000;
/** A counter is recalled at most this often. */
const RECALL_EVERY_MS = 1_000;

export const makeSimulatedServer = (deps: SimulatedServerDeps): SimulatedServer => {
  const { index, postgres, redis, time, resolve, clock, proxies, commit, recall } = deps;
  const recalled = new Map<string, number>();
  let running: RunningServer | null = null;
  let isStarting = false;
  let lives = 0;

  /** What a life of the server answers is heard only while it lasts. */
  const answer = async <T>(work: (running: RunningServer) => Promise<T>): Promise<T> => {
    const asked = running;
    if (asked === null) throw new LedgerUnavailable('no server');
    try {
      const value = await work(asked);
      if (!asked.life.isAlive()) throw new LedgerUnavailable('the server died within the answer');
      return value;
    } catch (fault) {
      if (!(fault instanceof LedgerRequestError)) throw fault;
      throw new LedgerRefused(fault.message, 409, fault.code);
    }
  };

  const askBack = ({ budget, limit, partition }: CounterName, except: string | null): void => {
    const key = `${budget} ${limit} ${partition}`;
    if (time.clock() - (recalled.get(key) ?? -Infinity) < RECALL_EVERY_MS) return;
    recalled.set(key, time.clock());
    recall({ budget, limit, partition }, except);
  };

  const run = async (life: ProcessLife): Promise<void> => {
    lives += 1;
    const client = postgres.connect(life);
    const ledgerClock = makeLedgerClock({ clock });
    const pool = await makePool({
      state: heardBy(ledgerClock, redis.connect(index, life)),
      source: client.source,
      resolve: (name) => resolve(name, ledgerClock.now()),
      clock,
      liveProxies: proxies,
      sharedAs: `s${String(index)}.${String(lives)}`,
      onLowered: (counter) => {
        askBack(counter, null);
      },
    });
    running = { life, pool, client };
    const timers = life.timers(time.timers);
    const tend = (): void => {
      // What does not go well now is tried again the next time.
      pool.tend().catch(() => undefined);
      timers.after(TEND_MS, tend);
    };
    timers.after(TEND_MS, tend);
  };

  return {
    life: () => running?.life ?? null,
    hello: (instance) =>
      answer(async ({ pool, client }) => {
        await client.register(instance);
        await pool.join(instance);
        return { epoch: pool.epoch(), liveProxies: proxies() };
      }),
    acquire: (request) =>
      answer(async ({ pool }) => {
        const result = await pool.acquire(decodeAcquireRequest(encodeAcquireRequest(request)));
        if (!result.granted && result.reason === 'held') askBack(result.counter, request.instance);
        return decodeAcquireResult(encodeAcquireResult(result));
      }),
    giveBack: (request) => answer(({ pool }) => pool.giveBack(decodeGiveBack(encodeGiveBack(request)))),
    ship: (batch) =>
      answer(async ({ pool, client }) => {
        const { events } = decodeEvents(encodeSealed(batch).toString('utf8'));
        void pool.settled(await commit(client, events));
        return events.at(-1)?.seq ?? 0;
      }),
    closeEpoch: (request) =>
      answer(({ pool, client }) => pool.close(request.instance, request.epoch, () => client.close(request))),
    kill: () => {
      running?.life.kill();
    },
    stop: async () => {
      const stopping = running;
      await stopping?.pool.stop();
      stopping?.life.kill();
    },
    start: async () => {
      if (running !== null || isStarting) return;
      isStarting = true;
      for (;;) {
        const life = makeProcessLife(() => {
          running = null;
        });
        try {
          await run(life);
          break;
        } catch (fault) {
          if (!(fault instanceof LedgerUnavailable)) throw fault;
          life.kill();
          await new Promise<void>((again) => void time.timers.after(START_AGAIN_MS, again));
        }
      }
      isStarting = false;
    },
  };
};

/** Each answer that tells the state's time sets the server's clock right. */
const heardBy = (ledgerClock: LedgerClock, state: PoolState): PoolState => ({
  ...state,
  lease: async (epoch, request) => {
    const answer = await state.lease(epoch, request);
    if ('now' in answer) ledgerClock.heard(answer.now);
    return answer;
  },
  page: async (epoch, cursor) => {
    const answer = await state.page(epoch, cursor);
    if (answer.kind === 'page') ledgerClock.heard(answer.now);
    return answer;
  },
});
