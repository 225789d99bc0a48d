import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';

export interface News {
  /** JSON. */
  readonly text: string;
  /** What of it makes it another answer than before. */
  readonly essence: string;
}

/**
 * Answers 304 where the caller says in `If-None-Match` that it has this already. Compared here, since `fetch` adds
 * `Cache-Control: no-cache` to such a question, and Express would then answer in full.
 */
export const sendIfNews = (request: Request, response: Response, { text, essence }: News): void => {
  const tag = `"${createHash('sha256').update(essence).digest('base64url').slice(0, 22)}"`;
  response.set('etag', tag);
  if (request.headers['if-none-match'] === tag) response.status(304).end();
  else response.type('json').send(text);
};
