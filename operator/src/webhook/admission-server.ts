/**
 * The webhook's HTTPS server. Every body is hostile: whatever comes is answered, within bounds of size and time, and
 * nothing that comes can make it fail with a 500.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { ListenAddress, Logger } from '@tollgate/runtime';
import { parseReview, writeReview, type AdmissionAnswer } from './admission-review.ts';
import { admitPod, admitWorkload, type AdmitDeps } from './admit.ts';
import type { KeyPair } from './certificates/certificate-maker.ts';
import { readBody } from './read-body.ts';
import { meaningOf } from './webhook-paths.ts';

export interface AdmissionServer {
  readonly address: ListenAddress;
  /** From now on new connections are served with this. Without one, no handshake succeeds. */
  serve(pair: KeyPair): void;
  /** Answers go on, each as the last of its connection: the API server turns to another replica. */
  drain(): void;
  /** Takes no new connections, and resolves when those it has are answered. */
  close(): Promise<void>;
}

export interface AdmissionServerDeps extends Omit<AdmitDeps, 'observe'> {
  readonly listen: ListenAddress;
  readonly log: Logger;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly observe: AdmitDeps['observe'] & {
    /** `code` is the HTTP status. */
    answered(code: number, seconds: number): void;
    /** A fault of ours. */
    failed(): void;
  };
}

/**
 * The API server takes objects of up to 3 MiB and sends the old one along; JSON may write a character as six.
 */
const BODY_MAX = 16 * 1024 * 1024;
const LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 120_000, maxHeaderSize: 16_384 };
const MOST_CONNECTIONS = 512;
const HANDSHAKE_MS = 5_000;

/** Resolves when the port is bound. */
export const startAdmissionServer = async (deps: AdmissionServerDeps): Promise<AdmissionServer> => {
  const { listen, log } = deps;
  let isDraining = false;
  const server = createServer({ ...LIMITS, handshakeTimeout: HANDSHAKE_MS, minVersion: 'TLSv1.2' }, (req, res) => {
    if (isDraining) res.setHeader('connection', 'close');
    void respond(req, res, deps);
  });
  server.maxConnections = MOST_CONNECTIONS;
  // Not TLS, or a client that does not trust us: the connection is all that is lost.
  server.on('tlsClientError', (err) => log.debug({ code: codeOf(err) }, 'a TLS handshake failed'));
  server.on('clientError', (_, socket) => void socket.destroy());
  const address = await bind(server, listen);
  return {
    address,
    serve: ({ cert, key }) => server.setSecureContext({ cert, key, minVersion: 'TLSv1.2' }),
    drain: () => {
      isDraining = true;
    },
    close: () =>
      new Promise((resolve) => {
        isDraining = true;
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
};

const respond = async (
  request: IncomingMessage,
  response: ServerResponse,
  deps: AdmissionServerDeps,
): Promise<void> => {
  const startedAt = deps.clock();
  let code = 0;
  try {
    const answer = await answerOf(request, deps);
    code = answer.code;
    response.writeHead(answer.code, {
      'content-type': answer.code === 200 ? 'application/json' : 'text/plain',
      'content-length': Buffer.byteLength(answer.body),
    });
    response.end(answer.body);
  } catch (err) {
    // The connection broke while the body came: there is nobody to answer.
    deps.log.debug({ err }, 'a review was not read to its end');
    response.destroy();
  }
  deps.observe.answered(code, (deps.clock() - startedAt) / 1_000);
};

interface HttpAnswer {
  readonly code: number;
  readonly body: string;
}

const answerOf = async (request: IncomingMessage, deps: AdmissionServerDeps): Promise<HttpAnswer> => {
  const meaning = meaningOf(request.url ?? '');
  if (meaning === null) return no(404, 'there is no webhook at this path');
  if (request.method !== 'POST') return no(405, 'AdmissionReviews are sent by POST');
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    return no(415, 'AdmissionReviews are application/json');
  }
  const body = await readBody(request, BODY_MAX);
  if (body === null) return no(413, `the body is longer than ${BODY_MAX} bytes`);
  const review = parseReview(body);
  if (!review.ok) return no(400, review.message);

  const decide = (): AdmissionAnswer =>
    meaning.takes === 'workloads' ? admitWorkload(review.request, deps) : admitPod(review.request, meaning.mode, deps);
  let answer: AdmissionAnswer;
  try {
    answer = decide();
  } catch (err) {
    deps.log.error({ err, namespace: review.request.namespace }, 'an object could not be looked at');
    deps.observe.failed();
    answer = {
      allowed: false,
      message:
        'tollgate: the injector failed to look at this object, which is a fault of Tollgate; its log has more. ' +
        'Without the annotation tollgate.dev/inject the object is not looked at',
    };
  }
  return { code: 200, body: writeReview(review.request.uid, answer) };
};

const no = (code: number, message: string): HttpAnswer => ({ code, body: `${message}\n` });

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

const bind = (server: Server, { host, port }: ListenAddress): Promise<ListenAddress> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`cannot listen on ${host}:${port} for admission reviews`, { cause })),
    );
    server.listen(port, host, () => {
      const bound = server.address();
      resolve({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port });
    });
  });
