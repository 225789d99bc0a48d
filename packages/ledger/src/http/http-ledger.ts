/** The ledger over HTTP: what every proxy leases from and reports to. */
import type { AcquireRequest, AcquireResult, GiveBackRequest, LeasePort } from '../lease-port.ts';
import type { LedgerSession } from '../escrow/shipper.ts';
import type { CallerReview, CloseRequest, HelloReply, HelloRequest, RunningRequest } from '../session.ts';
import { decodeCallerReview, encodeCallerQuestion } from '../wire/caller-wire.ts';
import { decodeEventsReply } from '../wire/event-wire.ts';
import { decodeAcquireResult, encodeAcquireRequest, encodeGiveBack } from '../wire/lease-wire.ts';
import { encodeSealed, type SealedEvent } from '../wire/sealed-event.ts';
import { decodeHelloReply, encodeClose, encodeHello, encodeRunning } from '../wire/session-wire.ts';
import { makeFailoverClient } from './failover-client.ts';
import { makeLedgerClient } from './ledger-client.ts';
import { watchSnapshots, type SnapshotWatch } from './snapshot-watch.ts';

export interface HttpLedger extends LeasePort, LedgerSession {
  hello(request: HelloRequest): Promise<HelloReply>;
  /** Says what this proxy runs; a server of an earlier version refuses, which harms nothing. */
  running(request: RunningRequest): Promise<void>;
  /** Whose token is this, which a caller has shown? Refused but for a gateway. */
  reviewCaller(token: string): Promise<CallerReview>;
  /** Follows this instance's snapshots, or those of one caller of it, until the signal is aborted. */
  watchSnapshots(watch: SnapshotWatch): Promise<void>;
  /** Ends the connections. */
  close(): void;
}

export interface HttpLedgerDeps {
  /** One server, or several of one ledger, any of which will do. */
  readonly serverUrl: string | readonly string[];
  /** The bearer token, read anew for each question. */
  readonly token: () => string;
  readonly random: () => number;
  readonly timeouts?: Partial<LedgerTimeouts>;
}

/** Milliseconds. */
export interface LedgerTimeouts {
  readonly lease: number;
  readonly events: number;
  readonly hello: number;
  readonly silence: number;
  readonly reconnectFirst: number;
  readonly reconnectMost: number;
}

/** A lease answers well within the 3 s that a call waits for it; events may wait for a busy database. */
const TIMEOUTS: LedgerTimeouts = {
  lease: 2_000,
  events: 15_000,
  hello: 5_000,
  silence: 30_000,
  reconnectFirst: 200,
  reconnectMost: 5_000,
};

/** A server that says nothing leaves time to ask another within the 3 s. Events may still be on their way into the database. */
const OF_SEVERAL: LedgerTimeouts = { ...TIMEOUTS, lease: 1_200, hello: 2_000 };

export const makeHttpLedger = ({ serverUrl, token, random, timeouts }: HttpLedgerDeps): HttpLedger => {
  const clients = [serverUrl].flat().map((url) => makeLedgerClient({ serverUrl: url, token }));
  const limits = { ...(clients.length > 1 ? OF_SEVERAL : TIMEOUTS), ...timeouts };
  const client = makeFailoverClient(clients, random);
  return {
    hello: (request: HelloRequest): Promise<HelloReply> =>
      client.post('/v1/hello', encodeHello(request), limits.hello, decodeHelloReply),
    running: (request: RunningRequest): Promise<void> =>
      client.post('/v1/running', encodeRunning(request), limits.hello, nothing),
    reviewCaller: (token) => client.post('/v1/callers', encodeCallerQuestion(token), limits.hello, decodeCallerReview),
    acquire: (request: AcquireRequest): Promise<AcquireResult> =>
      client.post('/v1/lease', encodeAcquireRequest(request), limits.lease, decodeAcquireResult),
    giveBack: (request: GiveBackRequest): Promise<void> =>
      client.post('/v1/give-back', encodeGiveBack(request), limits.lease, nothing),
    ship: async (events: readonly SealedEvent[]): Promise<number> =>
      (await client.post('/v1/events', encodeSealed(events), limits.events, decodeEventsReply)).ack,
    closeEpoch: (request: CloseRequest): Promise<void> =>
      client.post('/v1/close', encodeClose(request), limits.events, nothing),
    watchSnapshots: (watch) =>
      watchSnapshots(
        {
          client,
          random,
          connectMs: limits.hello,
          silenceMs: limits.silence,
          firstPauseMs: limits.reconnectFirst,
          mostPauseMs: limits.reconnectMost,
        },
        watch,
      ),
    close: () => {
      client.close();
    },
  };
};

const nothing = (): void => undefined;
