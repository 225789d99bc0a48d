import { RequestRefused } from '../http-refusal.ts';

/** The body as it was read, as text or as bytes. Express leaves an empty object where its type is not the one asked for: 415. */
export const bodyText = ({ body }: { readonly body: unknown }): string => {
  if (typeof body === 'string') return body;
  if (Buffer.isBuffer(body)) return body.toString('utf8');
  throw new RequestRefused(415, 'not_json', 'send application/json');
};
