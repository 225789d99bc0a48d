/**
 * HTTP to one API server as one user, over node:https. client-node's KubeConfig is asked before every request, since
 * tokens and certificates are renewed in their files; its own requests are not used: they open a new pool each time, and
 * its watch ends after 30 quiet seconds.
 */
import { Agent as HttpAgent, request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Timers } from '@tollgate/runtime';
import { KubeFault } from './kube-fault.ts';

export interface KubeConnection {
  /**
   * Resolves with the answer's head, whatever its status. The body is the caller's to read or to destroy.
   *
   * @throws KubeFault of status 0, or the reason of `signal`.
   */
  send(request: KubeRequest): Promise<IncomingMessage>;
  /** Ends idle connections. */
  close(): void;
}

export interface KubeRequest {
  /** In words, for the fault's message: `list Pod`. */
  readonly what: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface KubeConnectionOptions {
  readonly config: KubeConfig;
  /** `tollgate-operator/0.1.0`: what the server's audit log shows. */
  readonly userAgent: string;
}

/** A load balancer may drop what is idle for a minute; the kernel's own default is two hours. */
const KEEP_ALIVE_MS = 30_000;

export const makeKubeConnection = ({ config, userAgent }: KubeConnectionOptions): KubeConnection => {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig names no current cluster');
  const server = new URL(cluster.server);
  const isPlain = server.protocol === 'http:';
  const basePath = server.pathname.replace(/\/+$/, '');
  // Certificates are a part of each request: a pool of connections per certificate comes of itself.
  const pooling = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxFreeSockets: 16 };
  const ownAgent = isPlain ? new HttpAgent(pooling) : new HttpsAgent(pooling);

  const dial = async ({ method, path, headers = {}, body, signal }: KubeRequest): Promise<IncomingMessage> => {
    const auth: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(auth);
    signal.throwIfAborted();
    const options: RequestOptions = {
      ...auth,
      method,
      hostname: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port === '' ? (isPlain ? 80 : 443) : server.port,
      path: basePath + path,
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...auth.headers,
        ...(body === undefined ? {} : { 'content-length': `${Buffer.byteLength(body)}` }),
        ...headers,
      },
      // The kubeconfig's own agent knows its `proxy-url`.
      agent: cluster.proxyUrl === undefined ? ownAgent : auth.agent,
      signal,
    };
    return new Promise((resolve, reject) => {
      const request = (isPlain ? requestHttp : requestHttps)(options, resolve);
      request.on('error', (error: Error) => {
        reject(request.reusedSocket ? new StaleSocket(error) : error);
      });
      request.end(body);
    });
  };

  return {
    send: async (request) => {
      const { signal } = request;
      try {
        try {
          return await dial(request);
        } catch (error) {
          // The server closed a connection that it had kept while we took it up again: nothing was read, so ask once more.
          if (!(error instanceof StaleSocket) || request.method !== 'GET' || signal.aborted) throw error;
          return await dial(request);
        }
      } catch (error) {
        throw connectionFault(request.what, error instanceof StaleSocket ? error.cause : error, signal);
      }
    },
    close: () => ownAgent.destroy(),
  };
};

class StaleSocket extends Error {
  override readonly name = 'StaleSocket';
  constructor(cause: Error) {
    super('a kept connection broke', { cause });
  }
}

/** What broke a request or the reading of its answer: the caller's own abort, or the connection. */
export const connectionFault = (what: string, error: unknown, signal: AbortSignal): unknown => {
  if (signal.aborted) return signal.reason;
  if (error instanceof KubeFault) return error;
  const message = Error.isError(error) ? error.message : String(error);
  return new KubeFault({ status: 0, reason: 'Unreachable', message: `${what}: ${message}`, cause: error });
};

export interface Deadline {
  /** Aborts with the caller's signal, or with a `KubeFault` when the time is over. */
  readonly signal: AbortSignal;
  /** What was waited for came: from here on only the caller aborts. */
  met(): void;
  /** Lets go of the timer and of the caller's signal. */
  end(): void;
}

export const makeDeadline = (what: string, ms: number, timers: Timers, outer: AbortSignal | undefined): Deadline => {
  const aborter = new AbortController();
  const follow = (): void => aborter.abort(outer?.reason);
  if (outer?.aborted === true) follow();
  else outer?.addEventListener('abort', follow, { once: true });
  const late = { status: 0, reason: 'DeadlineExceeded', message: `${what}: no answer within ${ms} ms` };
  const cancel = timers.after(ms, () => aborter.abort(new KubeFault(late)));
  return {
    signal: aborter.signal,
    met: cancel,
    end: () => {
      cancel();
      outer?.removeEventListener('abort', follow);
    },
  };
};
