/** Writes an answer to the socket as slowly, brokenly or endlessly as asked, and notes what was handed over. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import type { Behaviour } from './behaviour.ts';
import { cut } from './body-frames.ts';
import type { Frame } from './body-frames.ts';

export interface Delivered {
  readonly bytes: number;
  readonly sha256: string;
  readonly tokens: number;
  readonly aborted: boolean;
}

export interface Delivery {
  readonly response: ServerResponse;
  /** Fires when the caller has gone. */
  readonly gone: AbortSignal;
  readonly behaviour: Behaviour;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly frames: Iterable<Frame>;
  readonly gzip: boolean;
}

export const deliver = async (delivery: Delivery): Promise<Delivered> => {
  const { response, gone, behaviour, status, headers, frames, gzip } = delivery;
  const hash = createHash('sha256');
  let bytes = 0;
  let tokens = 0;
  const outcome = (aborted: boolean): Delivered => ({
    bytes,
    sha256: hash.digest('hex'),
    tokens,
    aborted: aborted || gone.aborted,
  });

  const send = async (piece: Buffer): Promise<void> => {
    hash.update(piece);
    bytes += piece.length;
    if (!response.write(piece) && !gone.aborted) await once(response, 'drain', { signal: gone }).catch(() => undefined);
  };
  const squeeze = gzip ? makeSqueezer() : null;

  if (behaviour.hang === 'head') return (await untilGone(gone), outcome(true));
  for (let sent = 0; sent < (behaviour.informational ?? 0); sent += 1)
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
  response.writeHead(status, { ...headers, ...(gzip ? { 'content-encoding': 'gzip' } : {}) });
  if (behaviour.hang === 'body') {
    response.flushHeaders();
    return (await untilGone(gone), outcome(true));
  }

  let chunks = 0;
  for (const frame of frames) {
    if (gone.aborted) return outcome(true);
    if (behaviour.hang === chunks) return (await untilGone(gone), outcome(true));
    if (behaviour.abortAfterChunks === chunks) return (await breakOff(response, behaviour), outcome(true));
    if (chunks > 0 && behaviour.chunkDelayMs !== undefined) await pause(behaviour.chunkDelayMs, gone);
    const encoded = squeeze === null ? frame.bytes : await squeeze.push(frame.bytes);
    for (const piece of cut(encoded, behaviour.split)) {
      const room = (behaviour.abortAfterBytes ?? Number.MAX_SAFE_INTEGER) - bytes;
      await send(piece.subarray(0, room));
      if (piece.length >= room) return (await breakOff(response, behaviour), outcome(true));
      if (behaviour.split !== undefined) await new Promise(setImmediate); // lets the socket flush, or the cuts are joined again
    }
    tokens += frame.tokens;
    chunks += 1;
  }
  if (squeeze !== null) await send(await squeeze.end());
  if (gone.aborted) return outcome(true);
  response.end();
  await once(response, 'finish', { signal: gone }).catch(() => undefined);
  return outcome(!response.writableFinished);
};

/** False when the caller left first. */
export const pause = (ms: number, gone: AbortSignal): Promise<boolean> =>
  sleep(ms, true, { signal: gone, ref: false }).catch(() => false);

export const untilGone = async (gone: AbortSignal): Promise<void> => {
  if (!gone.aborted) await once(gone, 'abort');
};

const breakOff = async (response: ServerResponse, behaviour: Behaviour): Promise<void> => {
  const { socket } = response;
  if (socket === null) return;
  // What was written before has to leave first, or the cut comes earlier than asked.
  response.flushHeaders();
  if (socket.writableLength > 0) await new Promise<void>((resolve) => socket.write('', () => resolve()));
  if (behaviour.abortKind === 'reset') socket.resetAndDestroy();
  else socket.destroySoon();
};

/** Compresses piece by piece, flushing each, as a provider does with a stream. */
const makeSqueezer = (): { push: (bytes: Buffer) => Promise<Buffer>; end: () => Promise<Buffer> } => {
  const gzip = createGzip();
  const ready: Buffer[] = [];
  gzip.on('data', (piece: Buffer) => ready.push(piece));
  const take = (): Buffer => Buffer.concat(ready.splice(0));
  return {
    push: (bytes) =>
      new Promise((resolve) => {
        gzip.write(bytes);
        gzip.flush(constants.Z_SYNC_FLUSH, () => resolve(take()));
      }),
    end: async () => {
      gzip.end();
      await once(gzip, 'end');
      return take();
    },
  };
};
