import type { NextFunction, Request, Response } from 'express';
import type { Authenticate } from './authenticate.ts';
import { RequestRefused } from './http-refusal.ts';

/** What stands before every route: whose name the request uses for us, and who is asking. */
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/** On a laptop a web page may reach loopback under a name of its own (DNS rebinding): only our own names are served. */
export const loopbackHostOnly = (request: Request, _response: Response, next: NextFunction): void => {
  if (!LOOPBACK.test(request.headers.host ?? ''))
    throw new RequestRefused(403, 'foreign_host', 'this server answers to loopback names only');
  next();
};

export const noStore = (_request: Request, response: Response, next: NextFunction): void => {
  response.set('Cache-Control', 'no-store');
  response.set('X-Content-Type-Options', 'nosniff');
  next();
};

/** The same answer for a missing, a malformed and a wrong credential. */
export const authenticated =
  (authenticate: Authenticate) =>
  async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    if (await authenticate(request.headers.authorization)) {
      next();
      return;
    }
    response.set('WWW-Authenticate', 'Bearer');
    throw new RequestRefused(401, 'unauthenticated', 'a valid bearer token is needed');
  };
