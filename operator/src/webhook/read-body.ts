/** A request's body, of bounded size. */
import type { IncomingMessage } from 'node:http';

/** Null where it is longer. Rejects where the connection breaks. */
export const readBody = (request: IncomingMessage, maxBytes: number): Promise<string | null> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // What comes after is read and forgotten, so that the answer can be sent.
      if (bytes <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.on('end', () => resolve(bytes > maxBytes ? null : Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
    request.on('aborted', () => reject(new Error('the caller hung up')));
  });
