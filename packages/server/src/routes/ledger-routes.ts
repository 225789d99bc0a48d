import express, { Router, type Request } from 'express';
import { ANY_EPOCH } from '@tollgate/ledger';
import {
  decodeAcquireRequest,
  decodeClose,
  decodeEvents,
  decodeGiveBack,
  decodeHello,
  encodeAcquireResult,
  encodeEventsReply,
  encodeHelloReply,
} from '@tollgate/ledger/wire';
import type { Pool } from '@tollgate/ledger/pool';
import type { Store } from '@tollgate/store';
import { RequestRefused } from '../http-refusal.ts';
import type { ServerMetrics } from '../metrics.ts';
import type { Proxies } from '../proxies.ts';
import type { ResourcesInForce } from '../resources/resources-in-force.ts';
import type { SnapshotStreams } from '../snapshot-streams.ts';

/** The ledger's API for proxies. Bodies are checked by the wire's own decoders: one contract for both ends. */
export interface LedgerRoutesDeps {
  readonly store: Store;
  readonly pool: Pool;
  readonly inForce: ResourcesInForce;
  readonly proxies: Proxies;
  readonly streams: SnapshotStreams;
  readonly metrics: ServerMetrics;
  readonly clock: () => number;
}

/** 500 events of a few kilobytes; leases and the rest are small. */
const EVENTS_LIMIT = '8mb';
const SMALL_LIMIT = '1mb';

export const ledgerRoutes = ({ store, pool, inForce, proxies, streams, metrics, clock }: LedgerRoutesDeps): Router => {
  const router = Router();
  const small = express.text({ type: 'application/json', limit: SMALL_LIMIT, inflate: false });
  const large = express.text({ type: 'application/json', limit: EVENTS_LIMIT, inflate: false });
  const seed = inForce.seedFrom(() => pool.balances());

  router.post('/hello', small, async (request, response) => {
    const hello = decodeHello(bodyOf(request));
    await store.register(hello, pool.epoch(), clock());
    // Rolls the pool over to a new epoch where another server has sealed this one.
    await pool.join(hello.instance);
    proxies.saw(hello.instance, hello.subject);
    response.type('json').send(
      encodeHelloReply({
        organisation: store.organisation,
        epoch: pool.epoch(),
        subject: hello.subject,
        liveProxies: proxies.live().length,
        ledgerTimeMs: clock(),
      }),
    );
  });

  router.post('/lease', small, async (request, response) => {
    const acquisition = decodeAcquireRequest(bodyOf(request));
    proxies.saw(acquisition.instance);
    const result = await pool.acquire(acquisition);
    metrics.add('tollgate_server_leases_total', { outcome: result.granted ? 'granted' : result.reason });
    if (!result.granted && result.reason === 'held') streams.recall(result.counter, acquisition.instance);
    response.type('json').send(encodeAcquireResult(result));
  });

  router.post('/give-back', small, async (request, response) => {
    const back = decodeGiveBack(bodyOf(request));
    proxies.saw(back.instance);
    await pool.giveBack(back);
    response.status(204).end();
  });

  router.post('/events', large, async (request, response) => {
    const batch = decodeEvents(bodyOf(request));
    if (batch.events.some(({ instance }) => instance !== batch.instance)) {
      throw new RequestRefused(400, 'instance_mismatch', 'a batch holds the events of one instance');
    }
    proxies.saw(batch.instance);
    const done = await store.ingest(batch, { now: clock(), resolve: inForce.resolve, seed });
    pool.settled(done.charges);
    metrics.add('tollgate_server_events_total', { outcome: 'stored' }, done.inserted);
    metrics.add('tollgate_server_events_total', { outcome: 'repeated' }, batch.events.length - done.inserted);
    response.type('json').send(encodeEventsReply({ ack: done.ack }));
  });

  router.post('/close', small, async (request, response) => {
    const closing = decodeClose(bodyOf(request));
    await pool.close(closing.instance, closing.epoch, () => store.closeInstance(closing, clock()));
    if (closing.epoch === ANY_EPOCH || closing.epoch === pool.epoch()) proxies.left(closing.instance);
    response.status(204).end();
  });

  router.get('/snapshots', async (request, response) => {
    const instance = typeof request.query['instance'] === 'string' ? request.query['instance'] : '';
    const subject = proxies.subjectOf(instance) ?? (await store.subjectOf(instance));
    if (!subject) throw new RequestRefused(409, 'unknown_instance', 'this instance never said hello');
    proxies.saw(instance, subject);
    const detach = proxies.attached(instance);
    response.once('close', detach);
    streams.open(instance, subject, response);
  });

  return router;
};

/** Express leaves the body an empty object where its type is not the one asked for. */
const bodyOf = (request: Request): string => {
  const body: unknown = request.body;
  if (typeof body === 'string') return body;
  throw new RequestRefused(415, 'not_json', 'send application/json');
};
