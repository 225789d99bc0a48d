/** A scripted server beneath HTTP: it sends the very bytes a test wrote, for answers that no server would form. */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';

export interface RawCall {
  /** Head and body, as far as they had come when the request was whole. */
  readonly request: string;
  readonly write: (bytes: string | Buffer) => Promise<void>;
  /** FIN. */
  readonly end: () => void;
  /** RST. */
  readonly reset: () => void;
  /** Fires when the other side has gone. */
  readonly gone: AbortSignal;
}

export type RawHandler = (call: RawCall) => void | Promise<void>;

export interface RawUpstream {
  readonly url: string;
  readonly port: number;
  /** Requests so far. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

export const startRawUpstream = async (handler: RawHandler): Promise<RawUpstream> => {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    const gone = new AbortController();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      gone.abort();
    });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      for (let length = wholeRequest(received); length > 0; length = wholeRequest(received)) {
        const request = received.slice(0, length);
        received = received.slice(length);
        requests.push(request);
        void handler({
          request,
          write: (bytes) => write(socket, bytes),
          end: () => socket.end(),
          reset: () => socket.resetAndDestroy(),
          gone: gone.signal,
        });
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};

/** Answers for `startRawUpstream` that a proxy has to survive. */
export const MALFORMED_ANSWERS: Readonly<Record<string, RawHandler>> = {
  'a chunk size that is no number': sends(
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n',
  ),
  'a chunk longer than said': sends('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n'),
  'a body shorter than its content-length': sends('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'),
  'content-length and chunked at once': sends(
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  ),
  'two content-lengths': sends('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!'),
  'a bare line feed inside a header': sends(
    'HTTP/1.1 200 OK\r\nx-evil: a\nx-tollgate-cost-usd: 0\r\ncontent-length: 2\r\n\r\n{}',
  ),
  'a carriage return inside a header': sends(
    'HTTP/1.1 200 OK\r\nx-evil: a\rset-cookie: b\r\ncontent-length: 2\r\n\r\n{}',
  ),
  'NUL inside a header': sends('HTTP/1.1 200 OK\r\nx-evil: a\0b\r\ncontent-length: 2\r\n\r\n{}'),
  'a head without end': sends(`HTTP/1.1 200 OK\r\n${'x-filler: y\r\n'.repeat(100_000)}`),
  'no HTTP at all': sends('SSH-2.0-OpenSSH_9.9\r\n'),
  'nothing, then a close': sends(''),
  'informational answers without end': async ({ write, gone }) => {
    while (!gone.aborted) {
      await write('HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n');
      await new Promise(setImmediate);
    }
  },
  'a switch of protocols that nobody asked for': sends(
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: evil\r\nconnection: upgrade\r\n\r\nevil',
  ),
};

function sends(bytes: string): RawHandler {
  return async ({ write, end }) => {
    await write(bytes);
    end();
  };
}

/** Resolves once the bytes have left, or the socket has gone. */
const write = (socket: Socket, bytes: string | Buffer): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed || !socket.writable) return resolve();
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => resolve());
  });

/** The length of the first request in `received`, or 0 while it is not whole. */
const wholeRequest = (received: string): number => {
  const head = received.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const start = head + 4;
  const headers = received.slice(0, head).toLowerCase();
  const length = Number(/\r\ncontent-length: *([0-9]+)/.exec(headers)?.[1] ?? 0);
  if (!/\r\ntransfer-encoding:[^\r]*chunked/.test(headers))
    return received.length >= start + length ? start + length : 0;
  const end = received.indexOf('0\r\n\r\n', start);
  return end < 0 ? 0 : end + 5;
};
