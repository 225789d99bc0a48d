/** One POST, byte for byte: what went in and what came out, with no client's reading in between. */
import { createHash } from 'node:crypto';

export interface Bytes {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

export const post = async (
  url: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Bytes> => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
};

export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
