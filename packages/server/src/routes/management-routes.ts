import { Router, type Request } from 'express';
import { z } from 'zod';
import type { Pool } from '@tollgate/ledger/pool';
import { USAGE_BY, type Store } from '@tollgate/store';
import { callerOf } from '../asking.ts';
import { attachments } from '../connected/attachments.ts';
import type { ConnectedProxies } from '../connected/connected-proxies.ts';
import { subjectOfCaller } from '../gateway-callers.ts';
import { RequestRefused } from '../http-refusal.ts';
import type { ToldByOperator } from '../operator/told-by-operator.ts';
import type { ResourcesInForce } from '../resources/resources-in-force.ts';
import type { SnapshotStreams } from '../snapshot-streams.ts';
import { budgetViews } from '../status/budget-views.ts';
import type { UnbookedSpend } from '../status/unbooked-spend.ts';
import { routeView, TRAFFIC_MS } from '../status/route-view.ts';
import { toJson } from './json-text.ts';
import { sendIfNews } from './send-if-news.ts';

/**
 * What people and scripts ask: budgets, routes, usage, and why a call cost what it did. Who is of a namespace sees its
 * own: the database is asked for no more.
 */
export interface ManagementRoutesDeps {
  readonly store: Store;
  readonly pool: Pool;
  readonly inForce: ResourcesInForce;
  readonly connected: Pick<ConnectedProxies, 'all'>;
  readonly streams: Pick<SnapshotStreams, 'classOf'>;
  /** Which pods carry the proxy; null: nobody tells. */
  readonly told: Pick<ToldByOperator, 'pods'> | null;
  readonly unbooked: UnbookedSpend;
  readonly systemNamespace: string;
  readonly clock: () => number;
}

/** Nothing was recorded before, and PostgreSQL knows no year 0. */
const Day = z.iso.date().refine((day) => day >= '1970-01-01', { error: 'must be 1970-01-01 or later' });
const UsageQuery = z.strictObject({ by: z.enum(USAGE_BY), from: Day.optional(), to: Day.optional() });
const RequestId = z.string().min(1).max(256);
const NoQuery = z.strictObject({});

export const managementRoutes = (deps: ManagementRoutesDeps): Router => {
  const { store, pool, inForce, connected, streams, told, unbooked, systemNamespace, clock } = deps;
  const router = Router();

  router.get('/budgets', async (request, response) => {
    NoQuery.parse(request.query);
    const namespace = seenBy(request);
    const now = clock();
    const budgets = await budgetViews(inForce.now().budgets.filter(isOf(namespace)), {
      namespace,
      store,
      unbooked,
      balances: () => pool.balances(),
      attached: attachments(await connected.all(), {
        classOf: streams.classOf,
        subjectOfCaller: (caller) => subjectOfCaller(caller, told?.pods ?? null),
        systemNamespace,
      }),
      now,
    });
    const asOf = new Date(now).toISOString();
    const text = toJson({ asOf, budgets });
    // Asked every other second for each budget of a cluster, most of which stand still: that time passed is no news.
    sendIfNews(request, response, { text, essence: text.replaceAll(`"asOf":"${asOf}"`, '') });
  });

  router.get('/routes', async (request, response) => {
    NoQuery.parse(request.query);
    const namespace = seenBy(request);
    const routes = inForce.now().routes.filter(isOf(namespace));
    const traffic = routes.length === 0 ? [] : await store.backendTraffic({ since: clock() - TRAFFIC_MS, namespace });
    const text = toJson({ routes: routes.map((route) => routeView(route, traffic)) });
    sendIfNews(request, response, { text, essence: text });
  });

  router.get('/usage', async (request, response) => {
    const { by, from = null, to = null } = UsageQuery.parse(request.query);
    response.type('json').send(toJson({ by, rows: await store.usageBy(by, { from, to, namespace: seenBy(request) }) }));
  });

  router.get('/explain/:requestId', async (request, response) => {
    const requestId = RequestId.parse(request.params.requestId);
    const attempts = await store.explain(requestId, seenBy(request));
    if (attempts.length === 0) {
      throw new RequestRefused(
        404,
        'unknown_request',
        'no charge is recorded under this id (charges arrive within a second of the answer)',
      );
    }
    const charged = attempts.reduce((sum, attempt) => sum + attempt.charged, 0n);
    response.type('json').send(toJson({ requestId, charged, attempts }));
  });

  return router;
};

/** The namespace whose affairs the caller may see; null: all. A token of a namespace names a workload, always. */
const seenBy = (request: Request): string | null => {
  const { management, workload } = callerOf(request);
  if (management === 'all') return null;
  if (management === 'none' || !workload) throw new RequestRefused(403, 'forbidden', 'this token may see nothing here');
  return workload.namespace;
};

const isOf =
  (namespace: string | null) =>
  ({ metadata }: { readonly metadata: { readonly namespace: string } }): boolean =>
    namespace === null || metadata.namespace === namespace;
