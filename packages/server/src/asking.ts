/** What is known of a request besides its bytes: who asks, and for which instance. For the routes, the counts and the log. */
import type { Request } from 'express';
import type { Caller } from './auth/token-review.ts';
import { RequestRefused } from './http-refusal.ts';

interface Asking {
  caller?: Caller;
  instance?: string;
}

const known = new WeakMap<Request, Asking>();

export const askingOf = (request: Request): Asking => {
  const asking = known.get(request) ?? {};
  known.set(request, asking);
  return asking;
};

/** Only behind the guard that found it out. */
export const callerOf = (request: Request): Caller => {
  const { caller } = askingOf(request);
  if (!caller) throw new RequestRefused(401, 'unauthenticated', 'a valid bearer token is needed');
  return caller;
};
