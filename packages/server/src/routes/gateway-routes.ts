/** What a gateway asks of its callers. Their tokens are in bodies, which nobody logs, and are not kept. */
import express, { Router, type NextFunction, type Request, type Response } from 'express';
import { decodeCallerQuestion, encodeCallerReview } from '@tollgate/ledger/wire';
import type { Authenticate } from '../auth/authenticate.ts';
import { callerReview } from '../gateway-callers.ts';
import { forGateway } from '../guard.ts';
import { RequestRefused } from '../http-refusal.ts';
import type { ServerMetrics } from '../metrics.ts';
import { bodyText } from './body-text.ts';

export interface GatewayRoutesDeps {
  /** Of an `Authorization` header; it remembers. */
  readonly authenticate: Authenticate;
  readonly metrics: ServerMetrics;
  readonly systemNamespace: string;
  /** Milliseconds UTC. */
  readonly clock: () => number;
}

export const gatewayRoutes = ({ authenticate, metrics, systemNamespace, clock }: GatewayRoutesDeps): Router => {
  const router = Router();
  const small = express.text({ type: 'application/json', limit: '16kb', inflate: false });

  router.post(
    '/callers',
    forGateway(systemNamespace),
    small,
    async (request: Request, response: Response, _next: NextFunction) => {
      const token = decodeCallerQuestion(bodyText(request));
      const review = callerReview(await authenticate(`Bearer ${token}`), clock());
      metrics.add('tollgate_server_caller_reviews_total', {
        outcome: review === null ? 'unavailable' : review.accepted ? 'accepted' : review.fault,
      });
      if (review === null)
        throw new RequestRefused(503, 'authentication_unavailable', 'tokens cannot be checked now: try again', {
          retryAfterSeconds: 1,
        });
      response.type('json').send(encodeCallerReview(review));
    },
  );

  return router;
};
