/**
 * The server's side: the production pool over blocks in memory that outlive it, as Postgres outlives a server. Everything
 * passes through the wire's own codec.
 */
import type { LedgerEvent } from '../event.ts';
import { LedgerUnavailable, type AcquireRequest, type AcquireResult, type GiveBackRequest } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { LedgerRequestError } from '../pool/ledger-request-error.ts';
import { makeMemoryBlockSource, type MemoryBlockSource } from '../pool/memory-block-source.ts';
import { makeMemoryPool } from '../pool/memory-pool.ts';
import type { Pool } from '../pool/pool.ts';
import type { ResolveCounter } from '../pool/block-source.ts';
import type { CloseRequest } from '../session.ts';
import { decodeEvents, encodeEvent } from '../wire/event-wire.ts';
import {
  decodeAcquireRequest,
  decodeAcquireResult,
  decodeGiveBack,
  encodeAcquireRequest,
  encodeAcquireResult,
  encodeGiveBack,
} from '../wire/lease-wire.ts';
import { encodeSealed, type SealedEvent } from '../wire/sealed-event.ts';

export interface SimulatedServer {
  readonly source: MemoryBlockSource;
  /** Every event ever committed, by `instance seq`. */
  readonly events: ReadonlyMap<string, LedgerEvent>;
  pool(): Pool | null;
  hello(instance: string): Promise<string>;
  acquire(request: AcquireRequest): Promise<AcquireResult>;
  giveBack(request: GiveBackRequest): Promise<void>;
  ship(events: readonly SealedEvent[]): Promise<number>;
  closeEpoch(request: CloseRequest): Promise<void>;
  /** Ends with everything its memory held. */
  crash(): void;
  /** Ends in order. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface SimulatedServerDeps {
  readonly resolve: ResolveCounter;
  readonly clock: () => number;
  readonly proxies: number;
  /** For the oracle's own test: a server that does not notice a batch that comes twice. */
  readonly isForgetful: boolean;
}

export const eventKey = ({ instance, seq }: { readonly instance: string; readonly seq: number }): string =>
  `${instance} ${String(seq)}`;

export const makeSimulatedServer = (deps: SimulatedServerDeps): SimulatedServer => {
  const { resolve, clock, proxies, isForgetful } = deps;
  const source = makeMemoryBlockSource();
  const events = new Map<string, LedgerEvent>();
  let pool: Pool | null = null;
  let last: string | null = null;

  /** What a life of the server answers is heard only while it lasts. */
  const alive = async <T>(work: (pool: Pool) => Promise<T>): Promise<T> => {
    const asked = pool;
    if (asked === null) throw new LedgerUnavailable('no server');
    try {
      const answer = await work(asked);
      if (pool !== asked) throw new LedgerUnavailable('the server died within the answer');
      return answer;
    } catch (fault) {
      if (!(fault instanceof LedgerRequestError)) throw fault;
      throw new LedgerRefused(fault.message, 409, fault.code);
    }
  };

  const commit = (batch: readonly LedgerEvent[], asked: Pool): void => {
    const fresh = batch.filter((event) => isForgetful || !events.has(eventKey(event)));
    for (const event of batch) {
      const known = events.get(eventKey(event));
      if (known && encodeEvent(known) !== encodeEvent(event)) {
        throw new LedgerRequestError('event_conflict', `${eventKey(event)} is stored with another body`);
      }
    }
    const charges = fresh.flatMap((event) =>
      event.counters
        .filter(({ windowId }) => windowId !== '')
        .map((counter) => ({ ...counter, instance: event.instance })),
    );
    source.settle(charges);
    for (const event of fresh) events.set(eventKey(event), event);
    asked.settled(charges);
  };

  return {
    source,
    events,
    pool: () => pool,
    hello: (instance) =>
      alive(async (asked) => {
        source.register(instance);
        await asked.join(instance);
        return asked.epoch();
      }),
    acquire: (request) =>
      alive(async (asked) => {
        const result = await asked.acquire(decodeAcquireRequest(encodeAcquireRequest(request)));
        return decodeAcquireResult(encodeAcquireResult(result));
      }),
    giveBack: (request) => alive((asked) => asked.giveBack(decodeGiveBack(encodeGiveBack(request)))),
    ship: (batch) =>
      alive(async (asked) => {
        const { events: decoded } = decodeEvents(encodeSealed(batch).toString('utf8'));
        commit(decoded, asked);
        await Promise.resolve();
        return decoded.at(-1)?.seq ?? 0;
      }),
    closeEpoch: (request) =>
      alive(async (asked) => {
        const { instance, epoch, lastSeq } = request;
        for (let seq = 1; seq <= lastSeq; seq += 1) {
          if (!events.has(eventKey({ instance, seq })))
            throw new LedgerRequestError('events_missing', `no event ${String(seq)}`);
        }
        await asked.close(instance, epoch, () => Promise.resolve(source.closeInstance(instance, epoch)));
      }),
    crash: () => {
      pool = null;
    },
    stop: async () => {
      await pool?.stop();
      pool = null;
    },
    start: async () => {
      if (last !== null) source.sealEpoch(last);
      pool = await makeMemoryPool({ source, resolve, clock, liveProxies: () => proxies });
      last = pool.epoch();
    },
  };
};
