/** Sends bytes over a socket as they are, and reads whatever comes back: for requests that no client would write. */
import { connect } from 'node:net';

export interface RawAnswer {
  /** Of the last answer that is not informational; 0 where none came. */
  readonly status: number;
  /** Lower-case names; a repeated header's values are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** After the head, still chunked if it was. */
  readonly body: Buffer;
  /** All that came, as Latin-1. */
  readonly text: string;
}

export interface RawOptions {
  /** Sent one after the other, so many milliseconds apart. */
  readonly pauseMs?: number;
  /** Gives up waiting for the end; what has come by then is the answer. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 5_000;

export const sendRaw = (
  url: string,
  pieces: string | Buffer | readonly (string | Buffer)[],
  { pauseMs = 0, timeoutMs = DEFAULT_TIMEOUT_MS }: RawOptions = {},
): Promise<RawAnswer> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const received: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    const finish = (): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(readAnswer(Buffer.concat(received)));
    };
    const limit = setTimeout(finish, timeoutMs);
    socket.on('data', (chunk) => received.push(chunk));
    // A server that refuses may reset the connection: what it said before counts.
    socket.on('error', () => undefined);
    socket.on('close', finish);
    socket.on('connect', () => {
      const queue = typeof pieces === 'string' || Buffer.isBuffer(pieces) ? [pieces] : [...pieces];
      const next = (): void => {
        const piece = queue.shift();
        if (piece === undefined || socket.destroyed) return;
        // Latin-1, so that a test can write any byte as one character.
        socket.write(
          typeof piece === 'string' ? Buffer.from(piece, isLatin1(piece) ? 'latin1' : 'utf8') : piece,
          () => {
            if (pauseMs === 0) next();
            else setTimeout(next, pauseMs);
          },
        );
      };
      next();
    });
  });

const readAnswer = (bytes: Buffer): RawAnswer => {
  const text = bytes.toString('latin1');
  let start = 0;
  let status = 0;
  for (;;) {
    const line = /^HTTP\/1\.[01] ([0-9]{3})/.exec(text.slice(start, start + 16));
    if (line === null) return { status, headers: {}, body: bytes.subarray(start), text };
    status = Number(line[1]);
    const end = text.indexOf('\r\n\r\n', start);
    if (end < 0) return { status, headers: {}, body: Buffer.alloc(0), text };
    if (status >= 200)
      return { status, headers: readHeaders(text.slice(start, end)), body: bytes.subarray(end + 4), text };
    start = end + 4;
  }
};

const readHeaders = (head: string): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
};

const isLatin1 = (text: string): boolean => !/[^\u0000-\u00ff]/.test(text);
