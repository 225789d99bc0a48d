/**
 * Forwards what is not metered (model lists, token counting, unknown paths, WebSockets) by http-proxy-middleware,
 * loaded on first use: it was measured at a quarter to two fifths of the metered path (performance.md).
 */
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'http-proxy-middleware';
import { answerHeaders, requestHeaders } from '../headers.ts';
import { ForbiddenAddress, literalFault, makeCheckedLookup, type AddressCheck } from './address-check.ts';

export interface PassTarget {
  readonly origin: string;
  readonly path: string;
  readonly requestId: string;
}

export type PassOutcome = 'answered' | 'forbidden' | 'unreachable';

export interface PassThrough {
  request(req: IncomingMessage, res: ServerResponse, target: PassTarget): Promise<PassOutcome>;
  upgrade(req: IncomingMessage, socket: Socket, head: Buffer, target: PassTarget): Promise<void>;
  close(): void;
}

export interface PassThroughDeps {
  readonly isAllowed: AddressCheck;
  readonly extraCa: readonly string[] | null;
  readonly idleMs: number;
  /** As Node's agents take it: HTTP_PROXY, HTTPS_PROXY, NO_PROXY. */
  readonly proxyEnv: Readonly<Record<string, string>>;
}

type Middleware = RequestHandler;

export const makePassThrough = ({ isAllowed, extraCa, idleMs, proxyEnv }: PassThroughDeps): PassThrough => {
  const http = new HttpAgent({ keepAlive: true, lookup: makeCheckedLookup(isAllowed, 'http:'), proxyEnv });
  const https = new HttpsAgent({
    keepAlive: true,
    lookup: makeCheckedLookup(isAllowed, 'https:'),
    proxyEnv,
    ...(extraCa === null ? {} : { ca: [...extraCa] }),
  });
  const byOrigin = new Map<string, Promise<Middleware>>();
  const targets = new WeakMap<IncomingMessage, { readonly target: PassTarget; done(outcome: PassOutcome): void }>();

  const middlewareFor = (origin: string): Promise<Middleware> => {
    let made = byOrigin.get(origin);
    if (made === undefined) {
      made = load(origin);
      byOrigin.set(origin, made);
    }
    return made;
  };

  const load = async (origin: string): Promise<Middleware> => {
    const { createProxyMiddleware } = await import('http-proxy-middleware');
    return createProxyMiddleware({
      target: origin,
      changeOrigin: true,
      xfwd: false,
      followRedirects: false,
      proxyTimeout: idleMs,
      agent: origin.startsWith('https:') ? https : http,
      pathRewrite: (path, req) => targets.get(req)?.target.path ?? path,
      on: {
        proxyReq: (outgoing, req) => {
          rewriteRequest(outgoing, req);
        },
        proxyReqWs: (outgoing, req) => {
          rewriteRequest(outgoing, req);
        },
        proxyRes: (incoming, req) => {
          const kept = answerHeaders(incoming.rawHeaders);
          const length = incoming.headers['content-length'];
          incoming.headers = {};
          for (let i = 0; i + 1 < kept.length; i += 2) {
            const name = (kept[i] as string).toLowerCase();
            const before = incoming.headers[name];
            // Node's types know a list only of cookies, which do not pass.
            incoming.headers[name] = typeof before === 'string' ? `${before}, ${kept[i + 1] as string}` : kept[i + 1];
          }
          if (length !== undefined) incoming.headers['content-length'] = length;
          const id = targets.get(req)?.target.requestId;
          if (id !== undefined) incoming.headers['x-tollgate-request-id'] = id;
        },
        error: (error, req, res) => {
          const entry = targets.get(req);
          if ('destroy' in res && !('writeHead' in res)) res.destroy();
          entry?.done(error instanceof ForbiddenAddress ? 'forbidden' : 'unreachable');
        },
      },
    });
  };

  const isForbidden = (origin: string): boolean => {
    const { hostname, protocol } = new URL(origin);
    return literalFault(hostname, protocol, isAllowed) !== null;
  };

  return {
    async request(req, res, target) {
      if (isForbidden(target.origin)) return 'forbidden';
      const middleware = await middlewareFor(target.origin);
      return new Promise((resolve) => {
        targets.set(req, { target, done: resolve });
        res.once('close', () => {
          resolve('answered');
        });
        void middleware(req, res).catch(() => {
          resolve('unreachable');
        });
      });
    },
    async upgrade(req, socket, head, target) {
      if (isForbidden(target.origin)) {
        socket.destroy();
        return;
      }
      const middleware = await middlewareFor(target.origin);
      targets.set(req, { target, done: () => socket.destroy() });
      req.url = target.path;
      middleware.upgrade(req, socket, head);
    },
    close() {
      http.destroy();
      https.destroy();
    },
  };
};

/** Replaces what the library copied by what may cross. */
const rewriteRequest = (outgoing: ClientRequest, req: IncomingMessage): void => {
  for (const name of outgoing.getHeaderNames()) {
    if (!KEPT.has(name)) outgoing.removeHeader(name);
  }
  const headers = requestHeaders(req.rawHeaders, null);
  for (let i = 0; i + 1 < headers.length; i += 2) outgoing.setHeader(headers[i] as string, headers[i + 1] as string);
};

/** Set by the library for this connection: the upstream's own host, the framing, the upgrade. */
const KEPT = new Set(['host', 'connection', 'upgrade', 'content-length', 'transfer-encoding']);
