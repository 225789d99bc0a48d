/** Tells a call that waits that its caller is gone. */
import type { Writable } from 'node:stream';

/** Aborted when the connection closes. Made only for calls that have to wait, since most never do. */
export const signalOfLeaving = (connection: Writable): AbortSignal => {
  const left = new AbortController();
  if (connection.closed || connection.destroyed) left.abort();
  else
    connection.once('close', () => {
      left.abort();
    });
  return left.signal;
};
