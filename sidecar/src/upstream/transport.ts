/**
 * The transport to providers: HTTP/1.1 on sockets, one pool of connections an origin, one call at a time on each. It knows
 * nothing of calls or money, but tells whether a provider may have seen a request. Nothing is sent twice: of a connection
 * that breaks under a call nobody knows what became of it.
 */
import type { AddressCheck } from './address-check.ts';
import { systemDeadlines } from './deadlines.ts';
import { makeDirectDial, makeProxiedDial, proxyAuthorization } from './dial.ts';
import { makePool, type Pool } from './pool.ts';
import type { ProxyFor } from './proxy-env.ts';
import { Ticket } from './ticket.ts';
import type { UpstreamHandler, UpstreamRequest } from './upstream-call.ts';

export interface Transport {
  /** Never throws: every fault reaches `handler.onFault`. */
  dispatch(request: UpstreamRequest, handler: UpstreamHandler): void;
  close(): Promise<void>;
}

export interface TransportDeps {
  readonly isAllowed: AddressCheck;
  readonly proxyFor: ProxyFor;
  /** PEM; beside the built-in authorities. */
  readonly extraCa: readonly string[] | null;
  readonly connectMs: number;
}

export const makeTransport = ({ isAllowed, proxyFor, extraCa, connectMs }: TransportDeps): Transport => {
  const deadlines = systemDeadlines();
  const pools = new Map<string, Pool>();

  const open = (origin: string): Pool => {
    const proxy = proxyFor(origin);
    const deps = { isAllowed, authorities: extraCa, connectMs, deadlines };
    const isTunnel = origin.startsWith('https:');
    return makePool({
      dial: proxy === null ? makeDirectDial(origin, deps) : makeProxiedDial(origin, proxy, deps),
      // What goes by a proxy in the clear names the host in its target (RFC 9112, 3.2.2).
      targetPrefix: proxy === null || isTunnel ? '' : origin,
      host: new URL(origin).host,
      proxyAuthorization: proxy === null || isTunnel ? null : proxyAuthorization(proxy),
      deadlines,
    });
  };

  return {
    dispatch(request, handler) {
      let pool = pools.get(request.origin);
      if (pool === undefined) {
        pool = open(request.origin);
        pools.set(request.origin, pool);
      }
      pool.send(new Ticket(request, handler, deadlines));
    },
    close() {
      for (const pool of pools.values()) pool.close();
      deadlines.clear();
      return Promise.resolve();
    },
  };
};
