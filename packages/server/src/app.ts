/** The server's HTTP surface as one list: what stands before every route, the routes in their order, and what answers a fault. */
import express, { type Express, type Request, type Response } from 'express';
import { answerFaults, type FaultAnswersDeps } from './answer-faults.ts';
import { makeAuthenticate } from './auth/authenticate.ts';
import type { TokenReviewer } from './auth/token-review.ts';
import type { ConnectedProxies } from './connected/connected-proxies.ts';
import type { ToldByOperator } from './operator/told-by-operator.ts';
import { authenticated, forManagement, loopbackHostOnly, noNulInUrl, noStore } from './guard.ts';
import { RequestRefused } from './http-refusal.ts';
import type { OpenAnswers } from './open-answers.ts';
import { adminRoutes, type AdminRoutesDeps } from './routes/admin-routes.ts';
import { gatewayRoutes } from './routes/gateway-routes.ts';
import { ledgerRoutes, type LedgerRoutesDeps } from './routes/ledger-routes.ts';
import { managementRoutes, type ManagementRoutesDeps } from './routes/management-routes.ts';
import { operatorRoutes } from './routes/operator-routes.ts';

interface AppOwn {
  readonly authenticate: TokenReviewer;
  readonly connected: ConnectedProxies;
  readonly told: ToldByOperator | null;
  readonly answers: OpenAnswers;
  readonly loopbackOnly: boolean;
}

export type AppDeps = AppOwn & LedgerRoutesDeps & AdminRoutesDeps & ManagementRoutesDeps & FaultAnswersDeps;

export const makeApp = (deps: AppDeps): Express => {
  const { store, metrics, clock, systemNamespace, connected, told } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.use((_request, response, next) => {
    response.once('finish', () => {
      metrics.add('tollgate_server_requests_total', { status: `${String(Math.trunc(response.statusCode / 100))}xx` });
    });
    next();
  });
  app.use(deps.answers.watch);
  app.use(noStore);
  // Before anything is read: a page in a browser must learn nothing, not even that we are healthy.
  if (deps.loopbackOnly) app.use(loopbackHostOnly);
  // The process is there; the database may be away, which no restart mends.
  app.get('/livez', healthy);
  app.get('/healthz', async (request, response) => {
    await store.ping();
    healthy(request, response);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.page());
  });
  // Before bodies are read: a stranger's bytes are not parsed.
  const identify = makeAuthenticate({
    review: deps.authenticate,
    clock,
    onReviewed: (outcome) => metrics.add('tollgate_server_token_reviews_total', { outcome }),
  });
  app.use('/v1', authenticated(identify));
  app.use(noNulInUrl);
  app.use('/v1', ledgerRoutes(deps));
  app.use('/v1', gatewayRoutes({ authenticate: identify, metrics, systemNamespace, clock }));
  app.use('/v1', adminRoutes(deps));
  if (told) app.use('/v1', operatorRoutes({ told, connected, store }));
  app.use('/v1', forManagement, managementRoutes(deps));
  app.use((request: Request) => {
    throw new RequestRefused(404, 'not_found', `nothing is served at ${request.method} of this path`);
  });
  app.use(answerFaults(deps));
  return app;
};

const healthy = (_request: Request, response: Response): void => {
  response.type('text').send('ok\n');
};
