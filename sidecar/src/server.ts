/**
 * The proxy's HTTP server. The pipeline of a call stands here as one list; a stage that answers ends it, a "no" is sent
 * in the caller's error shape, and a fault that nobody foresaw is logged once and answered 500.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pathFate } from '@tollgate/providers';
import { guard, type GuardDeps } from './pipeline/guard.ts';
import { identify } from './pipeline/identify.ts';
import { makeBufferBudget } from './pipeline/buffer-budget.ts';
import { read } from './pipeline/read.ts';
import { route, type RouteDeps } from './pipeline/route.ts';
import { attempt, type AttemptDeps } from './pipeline/attempt.ts';
import { leaveFor, pass, type PassDeps } from './pipeline/pass.ts';
import { whose, type WhoseDeps } from './pipeline/whose.ts';
import { makeExchange, type Exchange, type Outcome, type Stage } from './exchange.ts';
import { refuse, type Refusal } from './refusal.ts';
import { sendRefusal } from './send-refusal.ts';
import type { Limits } from './config.ts';

export interface ServerDeps {
  readonly guard: GuardDeps;
  /** Null: all callers are one, as in a pod. */
  readonly whose: WhoseDeps | null;
  readonly pass: PassDeps;
  readonly route: RouteDeps;
  readonly attempt: AttemptDeps;
  readonly limits: Limits;
  readonly now: () => number;
  /** Unique in this process's life. */
  readonly nextRequestId: () => string;
  readonly observe: ServerObserver;
}

export interface ServerObserver {
  callStarted(): void;
  callEnded(): void;
  refused(refusal: Refusal, exchange: Exchange): void;
  faulted(error: unknown, exchange: Exchange): void;
}

export interface ProxyServer {
  readonly server: Server;
  /** Calls under way. */
  openCalls(): number;
  /** New calls are refused from now on. */
  startDraining(): void;
}

export const buildServer = (deps: ServerDeps): ProxyServer => {
  const { limits, observe } = deps;

  const pipeline: readonly Stage[] = [
    // First: nothing of an ambiguous or foreign request may be trusted.
    guard(deps.guard),
    // Then what it is, by its path alone.
    identify(),
    // A gateway asks who calls, before it does anything for him.
    ...(deps.whose === null ? [] : [whose(deps.whose)]),
    // Calls that are not metered leave here.
    pass(deps.pass),
    // Only a metered call has its body read, once, into bounded memory.
    read({ bodyBytes: limits.bodyBytes, buffered: makeBufferBudget(limits.bufferedBytes) }),
    // Where to and under which budgets: both depend on the model, which `read` found.
    route(deps.route),
    // Each backend in turn: estimate → admit → forward → settle.
    attempt(deps.attempt),
  ];

  let open = 0;
  let isDraining = false;

  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    const exchange = makeExchange(req, res, deps.nextRequestId(), deps.now());
    open += 1;
    observe.callStarted();
    res.on('close', () => {
      open -= 1;
      exchange.callerGone = true;
      observe.callEnded();
    });
    res.on('timeout', dropStalled);
    if (isDraining) {
      sendRefusal(res, 'openai', refuse('draining', 'this proxy is shutting down'), exchange.requestId);
      return;
    }
    run(exchange, 0);
  };

  /** Goes on synchronously while stages do; a promise suspends it. */
  const run = (exchange: Exchange, from: number): void => {
    try {
      for (let i = from; i < pipeline.length; i += 1) {
        const outcome = (pipeline[i] as Stage)(exchange);
        if (outcome instanceof Promise) {
          outcome.then(
            (late) => {
              if (late === undefined) run(exchange, i + 1);
              else conclude(exchange, late);
            },
            (error: unknown) => {
              fault(exchange, error);
            },
          );
          return;
        }
        if (outcome !== undefined) {
          conclude(exchange, outcome);
          return;
        }
      }
    } catch (error) {
      fault(exchange, error);
    }
  };

  const conclude = (exchange: Exchange, outcome: Exclude<Outcome, undefined>): void => {
    if (outcome === 'answered') return;
    observe.refused(outcome, exchange);
    sendRefusal(exchange.res, exchange.shape, outcome, exchange.requestId);
  };

  const fault = (exchange: Exchange, error: unknown): void => {
    observe.faulted(error, exchange);
    sendRefusal(
      exchange.res,
      exchange.shape,
      refuse('internal', 'the proxy failed; the fault is in its log under this request id'),
      exchange.requestId,
    );
  };

  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
      keepAliveTimeout: 75_000,
      maxHeaderSize: 16 * 1024,
      noDelay: true,
      // Underscore, duplicate and framing rules are ours (guard); a lenient parser would undo them.
      insecureHTTPParser: false,
      requireHostHeader: true,
      rejectNonStandardBodyWrites: false,
    },
    onRequest,
  );
  // All of them are seen, so that too many is an error and not a silent cut (reliability.md 4.3 row 14).
  server.maxHeadersCount = 0;
  server.timeout = limits.idleMs;
  server.on(
    'upgrade',
    upgradeHandler(deps, () => isDraining),
  );
  server.on('connect', (_req, socket: Duplex) => {
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  server.on('clientError', onClientError);
  server.on('checkContinue', (req, res) => {
    res.writeContinue();
    onRequest(req, res);
  });
  server.on('checkExpectation', onRequest);

  return {
    server,
    openCalls: () => open,
    startDraining() {
      isDraining = true;
      server.closeIdleConnections();
    },
  };
};

/** Nothing has moved on the connection for a while. The provider may take its time, but a caller that does not read is given up. */
const dropStalled = (socket: Socket): void => {
  if (socket.writableLength > 0) socket.destroy();
};

/** WebSockets: never metered, so they leave like an unknown path. Anything else that asks for an upgrade (h2c) is refused. */
const upgradeHandler = (deps: ServerDeps, isDraining: () => boolean) => {
  const leaveTo = leaveFor(deps.pass);
  const check = guard(deps.guard);
  return (req: IncomingMessage, socket: Socket, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    const answer = (refusal: Refusal): void => {
      socket.end(
        `HTTP/1.1 ${String(refusal.status)} ${refusal.code}\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: ${String(Buffer.byteLength(refusal.message))}\r\n\r\n${refusal.message}`,
      );
    };
    const go = async (): Promise<void> => {
      const requestId = deps.nextRequestId();
      const refusal = await check({ req } as Exchange);
      if (refusal !== undefined && refusal !== 'answered') return answer(refusal);
      if (req.headers.upgrade?.toLowerCase() !== 'websocket')
        return answer(refuse('bad_request', 'only WebSocket upgrades are served'));
      if (isDraining()) return answer(refuse('draining', 'this proxy is shutting down'));
      const fate = pathFate('GET', req.url ?? '/');
      if (fate.fate === 'invalid') return answer(refuse('not_found', fate.message));
      const leave = await leaveTo(
        requestId,
        {
          provider: fate.provider,
          upstreamPath: fate.upstreamPath,
          isFree: false,
        },
        socket,
      );
      if (!leave.leave) return answer(leave.refusal);
      socket.once('close', () => {
        leave.done(true);
      });
      await deps.pass.passThrough.upgrade(req, socket, head, leave.target);
    };
    go().catch(() => socket.destroy());
  };
};

/** The parser's own refusals, and requests that took too long to arrive: no request object exists yet. */
const onClientError = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, text] = CLIENT_ERRORS[error.code ?? ''] ?? [400, 'Bad Request'];
  const body = JSON.stringify({
    error: {
      message: `${text}: the request is not valid HTTP/1.1 or did not arrive in time`,
      type: 'invalid_request_error',
      param: null,
      code: 'bad_request',
    },
  });
  socket.end(
    `HTTP/1.1 ${String(status)} ${text}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
  );
};

const CLIENT_ERRORS: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'Payload Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
};
