import type { NextFunction, Request, Response } from 'express';
import { askingOf, callerOf } from './asking.ts';
import type { Authenticate } from './auth/authenticate.ts';
import type { Caller } from './auth/token-review.ts';
import { RequestRefused } from './http-refusal.ts';

/** What stands before every route: whose name the request uses for us, and who is asking. */
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/** On a laptop a web page may reach loopback under a name of its own (DNS rebinding): only our own names are served. */
export const loopbackHostOnly = (request: Request, _response: Response, next: NextFunction): void => {
  if (!LOOPBACK.test(request.headers.host ?? ''))
    throw new RequestRefused(403, 'foreign_host', 'this server answers to loopback names only');
  next();
};

/** No id or name holds one, and a database takes no text with it. Checked once, for all paths and queries. */
export const noNulInUrl = (request: Request, _response: Response, next: NextFunction): void => {
  if (request.url.includes('%00')) throw new RequestRefused(400, 'bad_url', 'a URL may not hold a NUL (%00)');
  next();
};

export const noStore = (_request: Request, response: Response, next: NextFunction): void => {
  response.set('Cache-Control', 'no-store');
  response.set('X-Content-Type-Options', 'nosniff');
  next();
};

/** The same answer whatever is wrong with the credential; what it was is counted. */
export const authenticated =
  (authenticate: Authenticate) =>
  async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const review = await authenticate(request.headers.authorization);
    if (review.ok) {
      askingOf(request).caller = review.caller;
      next();
      return;
    }
    if (review.reason === 'unavailable') {
      throw new RequestRefused(503, 'authentication_unavailable', 'tokens cannot be checked now: try again', {
        retryAfterSeconds: 1,
      });
    }
    response.set('WWW-Authenticate', 'Bearer');
    throw new RequestRefused(401, 'unauthenticated', 'a valid bearer token is needed', {
      reason: `token_${review.reason}`,
    });
  };

export const forLedger = (request: Request, _response: Response, next: NextFunction): void => {
  if (!callerOf(request).ledger) throw new RequestRefused(403, 'forbidden', 'this token neither leases nor reports');
  next();
};

/** Who speaks for others, and reports for them: a proxy in our own namespace, or one that is believed whatever it says. */
export const forGateway =
  (systemNamespace: string) =>
  (request: Request, _response: Response, next: NextFunction): void => {
    if (!isGateway(callerOf(request), systemNamespace))
      throw new RequestRefused(403, 'forbidden', "only a gateway in Tollgate's own namespace may ask for its callers");
    next();
  };

export const isGateway = (
  { ledger, workload }: Pick<Caller, 'ledger' | 'workload'>,
  systemNamespace: string,
): boolean => ledger && (workload === null || workload.namespace === systemNamespace);

/** Any view at all; the routes narrow it to what the caller may see. */
export const forManagement = (request: Request, _response: Response, next: NextFunction): void => {
  if (callerOf(request).management === 'none') {
    throw new RequestRefused(403, 'forbidden', 'this token is not one for the management API');
  }
  next();
};

/** Not even who looks after the installation: what holds is what the cluster says, and one process says that here. */
export const forOperator = (request: Request, _response: Response, next: NextFunction): void => {
  if (!callerOf(request).isOperator) throw new RequestRefused(403, 'forbidden', 'only the operator may say what holds');
  next();
};

export const forAdmin = (request: Request, _response: Response, next: NextFunction): void => {
  if (callerOf(request).management !== 'all') {
    throw new RequestRefused(403, 'forbidden', 'only who looks after the installation may do this');
  }
  next();
};
