/**
 * The transport to providers, in one file that may be replaced: undici's `dispatch`, one pool an origin, names resolved
 * and checked by us, HTTP(S)_PROXY and an extra CA honoured. It knows nothing of calls or money.
 */
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';
import type { Dispatcher } from 'undici';
import { literalFault, makeCheckedLookup, type AddressCheck } from './address-check.ts';
import type { ProxyFor } from './proxy-env.ts';

export interface UpstreamRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  /** Flat list of names and values. */
  readonly headers: string[];
  readonly body: Buffer | null;
  /** Milliseconds to the answer's head, and between two pieces of its body. */
  readonly firstByteMs: number;
  readonly idleMs: number;
}

export type UpstreamHandler = Dispatcher.DispatchHandler;
export type UpstreamController = Dispatcher.DispatchController;

export interface Transport {
  /** Never throws: every fault reaches `handler.onResponseError`. */
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

/** Connections opened at once to one origin. Calls beyond it queue in the pool: a burst of 500 streams must not become 500 handshakes in one tick. */
const CONNECTIONS = 512;

export const makeTransport = ({ isAllowed, proxyFor, extraCa, connectMs }: TransportDeps): Transport => {
  const tls = extraCa === null ? {} : { ca: [...extraCa] };
  const connectorFor = (protocol: string): buildConnector.connector =>
    buildConnector({ timeout: connectMs, lookup: makeCheckedLookup(isAllowed, protocol), ...tls });
  const connectors = { 'http:': connectorFor('http:'), 'https:': connectorFor('https:') };
  const connect: buildConnector.connector = (options, callback) => {
    const refused = literalFault(options.hostname, options.protocol, isAllowed);
    if (refused !== null) callback(refused, null);
    else connectors[options.protocol === 'https:' ? 'https:' : 'http:'](options, callback);
  };
  const pools = new Map<string, Dispatcher>();

  const open = (origin: string): Dispatcher => {
    const proxy = proxyFor(origin);
    // The proxy's own address is the operator's choice (environment), not a tenant's: it is not checked.
    if (proxy !== null) return new ProxyAgent({ uri: proxy, requestTls: tls, proxyTls: tls, connections: CONNECTIONS });
    return new Pool(origin, {
      connect,
      connections: CONNECTIONS,
      pipelining: 1,
      keepAliveTimeout: 30_000,
      allowH2: false,
    });
  };

  return {
    dispatch({ origin, path, method, headers, body, firstByteMs, idleMs }, handler) {
      let pool = pools.get(origin);
      if (pool === undefined) {
        pool = open(origin);
        pools.set(origin, pool);
      }
      pool.dispatch({ origin, path, method, headers, body, headersTimeout: firstByteMs, bodyTimeout: idleMs }, handler);
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
};
