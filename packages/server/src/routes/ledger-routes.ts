import type { Subject } from '@tollgate/api';
import express, { Router, type NextFunction, type Request, type Response } from 'express';
import { ANY_EPOCH, UNKNOWN_POD, type CounterName, type LedgerEvent } from '@tollgate/ledger';
import {
  decodeAcquireRequest,
  decodeCallerName,
  decodeClose,
  decodeEvents,
  decodeGiveBack,
  decodeHello,
  decodeRunning,
  encodeAcquireResult,
  encodeCallerName,
  encodeEventsReply,
  encodeHelloReply,
} from '@tollgate/ledger/wire';
import type { Pool } from '@tollgate/ledger/pool';
import type { Timers } from '@tollgate/runtime';
import type { Store } from '@tollgate/store';
import { askingOf, callerOf } from '../asking.ts';
import { makeByteBudget, makeOneEach, makeSlots } from '../back-pressure.ts';
import type { Caller } from '../auth/token-review.ts';
import type { ConnectedProxies } from '../connected/connected-proxies.ts';
import { subjectOfCaller } from '../gateway-callers.ts';
import { forGateway, forLedger, isGateway } from '../guard.ts';
import { RequestRefused } from '../http-refusal.ts';
import type { ServerMetrics } from '../metrics.ts';
import type { ToldByOperator } from '../operator/told-by-operator.ts';
import type { Proxies } from '../proxies.ts';
import type { ResourcesInForce } from '../resources/resources-in-force.ts';
import type { SnapshotStreams } from '../snapshot-streams.ts';
import { checkSubject, isSameIdentity } from '../subject-check.ts';
import { bodyText } from './body-text.ts';

/** The ledger's API for proxies. Bodies are checked by the wire's own decoders: one contract for both ends. */
export interface LedgerRoutesDeps {
  readonly store: Store;
  readonly pool: Pool;
  readonly inForce: ResourcesInForce;
  readonly proxies: Proxies;
  readonly streams: SnapshotStreams;
  /** A call waits for this counter: others are to give back what they do not hold, but not the proxy that asks. */
  readonly recall: (counter: CounterName, except: string) => void;
  readonly metrics: ServerMetrics;
  readonly clock: () => number;
  readonly timers: Timers;
  readonly systemNamespace: string;
  readonly connected: Pick<ConnectedProxies, 'runs'>;
  /** Where the operator tells which pods carry the proxy: hello of these, and of no others. */
  readonly told: Pick<ToldByOperator, 'awaitPod' | 'isTold' | 'pods'> | null;
  readonly bounds?: Partial<LedgerBounds>;
}

/** What may be under way at once, and for how long (milliseconds) before the asker is told to come again. */
export interface LedgerBounds {
  readonly leases: number;
  readonly leaseMs: number;
  /** Less than there are connections to the database, so that who asks for a lease need not wait for those who report. */
  readonly batches: number;
  readonly batchesWaiting: number;
  readonly batchMs: number;
  /** Of all bodies of events in memory. */
  readonly batchBytes: number;
}

/** A proxy waits 2 s for a lease and 15 s for its events to be taken; it is answered before. */
const BOUNDS: LedgerBounds = {
  leases: 1_024,
  leaseMs: 1_800,
  batches: 6,
  batchesWaiting: 256,
  batchMs: 12_000,
  batchBytes: 64 << 20,
};

/** 500 events of a few kilobytes; leases and the rest are small. */
const EVENTS_BYTES = 8 << 20;
const SMALL_LIMIT = '1mb';

export const ledgerRoutes = (deps: LedgerRoutesDeps): Router => {
  const { store, pool, inForce, proxies, streams, recall, metrics, clock, timers, systemNamespace } = deps;
  const { connected, told } = deps;
  const bounds = { ...BOUNDS, ...deps.bounds };
  const router = Router();
  const small = express.text({ type: 'application/json', limit: SMALL_LIMIT, inflate: false });
  // As bytes: putting the pieces into text one by one takes half as long again as all at once.
  const large = express.raw({ type: 'application/json', limit: EVENTS_BYTES, inflate: false });
  const seed = inForce.seedFrom(() => pool.balances());
  const leases = makeSlots({ most: bounds.leases, waiting: 0, withinMs: bounds.leaseMs, timers });
  const batches = makeSlots({
    most: bounds.batches,
    waiting: bounds.batchesWaiting,
    withinMs: bounds.batchMs,
    timers,
  });
  const oneBatch = makeOneEach();
  const bytes = makeByteBudget(bounds.batchBytes);

  /** Before the body is read: what does not fit is not taken in. A body of unknown length counts as the largest. */
  const withinBytes = (request: Request, response: Response, next: NextFunction): void => {
    const length = Number(request.headers['content-length'] ?? EVENTS_BYTES);
    response.once('close', bytes.take(Math.min(length, EVENTS_BYTES)));
    next();
  };

  const subjectOf = async (instance: string): Promise<Subject | null> =>
    proxies.subjectOf(instance) ?? store.subjectOf(instance);

  /** Throws where the instance said hello under another identity. True: it is known to be this caller's. */
  const checkOwner = async (request: Request, instance: string): Promise<boolean> => {
    askingOf(request).instance = instance;
    const caller = callerOf(request);
    const { workload } = caller;
    // A token that is bound to no workload may speak for any: nothing to look up.
    if (!workload) return true;
    const known = proxies.subjectOf(instance);
    const subject = known ?? (await store.subjectOf(instance));
    if (!subject) return false;
    if (!isSameIdentity(workload, subject)) {
      throw new RequestRefused(403, 'foreign_instance', 'this instance belongs to another identity');
    }
    if (!known) proxies.saw(instance, subject, injectedUid(caller));
    return true;
  };

  /** The UID by which the caller has to be among the injected pods; null: it need not, as the gateway in our own namespace. */
  const injectedUid = ({ workload }: Caller): string | null =>
    told === null || !workload?.pod || workload.namespace === systemNamespace ? null : workload.pod.uid;

  /** Whom the caller speaks for: as the operator says where it does, else as the token says and the caller claims. */
  const subjectFor = async (caller: Caller, claimed: Subject): Promise<Subject> => {
    const uid = injectedUid(caller);
    if (uid !== null && told !== null) {
      const subject = (await told.awaitPod(uid)) ? told.pods.subjectOf(uid) : null;
      if (subject !== null && isSameIdentity(caller.workload, subject)) return subject;
      if (subject !== null) throw new RequestRefused(403, 'foreign_subject', 'the pod of this token is another one');
      throw new RequestRefused(
        409,
        UNKNOWN_POD,
        'this pod is not known as one that carries the proxy: ask again in a moment; only the injector makes such pods',
        { retryAfterSeconds: 1, isExpected: true },
      );
    }
    const check = checkSubject(caller, claimed);
    if (!check.ok) throw new RequestRefused(403, 'foreign_subject', check.message);
    return check.subject;
  };

  /** Until it is told what holds, a server would let every call pass. */
  const onceTold = (_request: Request, _response: Response, next: NextFunction): void => {
    if (told?.isTold() === false) {
      throw new RequestRefused(
        503,
        'resources_unknown',
        'the operator has not told yet which budgets hold: try again',
        {
          retryAfterSeconds: 1,
          isExpected: true,
        },
      );
    }
    next();
  };

  const checkEvents = (request: Request, instance: string, events: readonly LedgerEvent[]): void => {
    const namespace = callerOf(request).workload?.namespace ?? null;
    for (const event of events) {
      if (event.instance !== instance) {
        throw new RequestRefused(400, 'instance_mismatch', 'a batch holds the events of one instance');
      }
      // A gateway, which is in our own namespace, reports for those who call it.
      if (namespace !== null && namespace !== systemNamespace && event.subject.namespace !== namespace) {
        throw new RequestRefused(403, 'foreign_subject', 'an event is of another namespace than this token');
      }
    }
  };

  router.post('/hello', forLedger, onceTold, small, async (request, response) => {
    const hello = decodeHello(bodyText(request));
    askingOf(request).instance = hello.instance;
    const caller = callerOf(request);
    const subject = await subjectFor(caller, hello.subject);
    await checkOwner(request, hello.instance);
    await leases.run(async () => {
      // On the way the pool goes on to a new epoch, where this one is sealed or lost.
      await pool.join(hello.instance, (epoch) => store.register({ ...hello, subject }, epoch, clock()));
    });
    proxies.saw(hello.instance, subject, injectedUid(caller));
    if (hello.snapshot !== undefined) {
      connected.runs(hello.instance, { snapshot: hello.snapshot, direct: hello.direct ?? null });
    }
    proxies.speaks(hello.instance, {
      version: hello.version,
      library: hello.library ?? null,
      degraded: hello.degraded ?? [],
    });
    response.type('json').send(
      encodeHelloReply({
        organisation: store.organisation,
        epoch: pool.epoch(),
        subject,
        liveProxies: proxies.count(),
        ledgerTimeMs: clock(),
      }),
    );
  });

  router.post('/running', forLedger, small, async (request, response) => {
    const { instance, snapshot, direct = null, callers } = decodeRunning(bodyText(request));
    await checkOwner(request, instance);
    if (callers !== undefined && !isGateway(callerOf(request), systemNamespace))
      throw new RequestRefused(403, 'forbidden', "only a gateway in Tollgate's own namespace has callers");
    if (!(await subjectOf(instance))) {
      throw new RequestRefused(409, 'unknown_instance', 'this instance never said hello');
    }
    proxies.saw(instance);
    connected.runs(instance, { snapshot, direct, ...(callers === undefined ? {} : { callers }) });
    response.status(204).end();
  });

  router.post('/lease', forLedger, onceTold, small, async (request, response) => {
    const acquisition = decodeAcquireRequest(bodyText(request));
    await checkOwner(request, acquisition.instance);
    proxies.saw(acquisition.instance);
    const result = await leases.run(() => pool.acquire(acquisition));
    metrics.add('tollgate_server_leases_total', { outcome: result.granted ? 'granted' : result.reason });
    if (!result.granted && result.reason === 'held') recall(result.counter, acquisition.instance);
    response.type('json').send(encodeAcquireResult(result));
  });

  router.post('/give-back', forLedger, small, async (request, response) => {
    const back = decodeGiveBack(bodyText(request));
    await checkOwner(request, back.instance);
    proxies.saw(back.instance);
    await leases.run(() => pool.giveBack(back));
    response.status(204).end();
  });

  router.post('/events', forLedger, onceTold, withinBytes, large, async (request, response) => {
    const batch = decodeEvents(bodyText(request));
    await checkOwner(request, batch.instance);
    checkEvents(request, batch.instance, batch.events);
    proxies.saw(batch.instance);
    const done = await batches.run(async () => {
      const leave = oneBatch.enter(batch.instance);
      try {
        const stored = await store.ingest(batch, { now: clock(), resolve: inForce.resolve, seed });
        // Within, since the asker may have been sent away meanwhile: the pool must hear of it all the same.
        void pool.settled(stored.charges);
        return stored;
      } finally {
        leave();
      }
    });
    metrics.add('tollgate_server_events_total', { outcome: 'stored' }, done.inserted);
    metrics.add('tollgate_server_events_total', { outcome: 'repeated' }, batch.events.length - done.inserted);
    response.type('json').send(encodeEventsReply({ ack: done.ack }));
  });

  router.post('/close', forLedger, small, async (request, response) => {
    const closing = decodeClose(bodyText(request));
    await checkOwner(request, closing.instance);
    await leases.run(() => pool.close(closing.instance, closing.epoch, () => store.closeInstance(closing, clock())));
    if (closing.epoch === ANY_EPOCH || closing.epoch === pool.epoch()) proxies.left(closing.instance);
    response.status(204).end();
  });

  const greetedAs = async (request: Request): Promise<{ readonly instance: string; readonly greeted: Subject }> => {
    const instance = queried(request, 'instance') ?? '';
    await checkOwner(request, instance);
    const greeted = await subjectOf(instance);
    if (!greeted) throw new RequestRefused(409, 'unknown_instance', 'this instance never said hello');
    return { instance, greeted };
  };

  const isForCaller = (request: Request, _response: Response, next: NextFunction): void => {
    next(queried(request, 'caller') === null ? 'route' : undefined);
  };

  router.get('/snapshots', isForCaller, forGateway(systemNamespace), onceTold, async (request, response) => {
    const { instance, greeted } = await greetedAs(request);
    const name = decodeCallerName(queried(request, 'caller') ?? '');
    const subject = (): Subject => subjectOfCaller(name, told?.pods ?? null);
    streams.openFor(instance, { key: encodeCallerName(name), subject, routesOf: greeted }, response);
  });

  router.get('/snapshots', forLedger, onceTold, async (request, response) => {
    const { instance, greeted } = await greetedAs(request);
    const caller = callerOf(request);
    const uid = injectedUid(caller);
    const subject = (uid === null ? null : told?.pods.subjectOf(uid)) ?? greeted;
    proxies.saw(instance, subject, uid);
    const detach = proxies.attached(instance);
    response.once('close', detach);
    streams.open(instance, subject, response);
  });

  return router;
};

/** Null where it is not in the query, or more than once. */
const queried = (request: Request, name: string): string | null => {
  const value: unknown = request.query[name];
  return typeof value === 'string' ? value : null;
};
