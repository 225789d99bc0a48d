/** Writes a refusal in the caller's own error shape. */
import type { ServerResponse } from 'node:http';
import { renderRefusal, type ErrorShape } from '@tollgate/providers';
import type { Refusal } from './refusal.ts';

export const sendRefusal = (res: ServerResponse, shape: ErrorShape, refusal: Refusal, requestId: string): void => {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const rendered = renderRefusal(shape, {
    status: refusal.status,
    code: refusal.code,
    message: refusal.message,
    param: refusal.param,
    retryAfterSeconds: refusal.retryAfter,
    budget: refusal.budget,
    shouldRetry: refusal.shouldRetry,
    requestId,
  });
  const headers: Record<string, string | number> = { ...rendered.headers, 'x-tollgate-request-id': requestId };
  // RFC 9110, 11.6.1: a 401 says how to do better.
  if (refusal.status === 401) headers['www-authenticate'] = 'Bearer';
  if (refusal.budget !== null) headers['x-tollgate-budget'] = refusal.budget;
  headers['content-length'] = Buffer.byteLength(rendered.body);
  if (refusal.close) headers['connection'] = 'close';
  res.writeHead(rendered.status, headers);
  res.end(rendered.body);
};
