/** The server's port: bounds on what a connection may take, and an end that waits for what was asked. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Timers } from '@tollgate/runtime';

export interface Listener {
  /** Rejects where the address is taken. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly url: string }>;
  close(): Promise<void>;
}

/** A batch of events takes milliseconds; nobody needs a slow request, and none may hold a connection open. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;
/** Longer than any proxy's pause between batches, so that it is they who close. */
const KEEP_ALIVE_MS = 30_000;
const HEADER_BYTES = 16_384;
/** A proxy has one for its snapshots and a few for the rest; more than this is no cluster of ours. */
const MOST_CONNECTIONS = 20_000;
/** How long open requests may take to end. */
const DRAIN_MS = 5_000;
const IDLE_MS = 100;

export const makeListener = (app: RequestListener, timers: Timers): Listener => {
  let server: Server | null = null;
  return {
    listen: async ({ host, port }) => {
      const http = createServer(
        {
          requestTimeout: REQUEST_MS,
          headersTimeout: HEADERS_MS,
          keepAliveTimeout: KEEP_ALIVE_MS,
          maxHeaderSize: HEADER_BYTES,
        },
        app,
      );
      http.maxConnections = MOST_CONNECTIONS;
      server = http;
      await new Promise<void>((resolve, reject) => {
        http.once('error', reject);
        http.listen(port, host, resolve);
      });
      const address = http.address();
      const bound = typeof address === 'object' && address ? address.port : port;
      return { url: `http://${host.includes(':') ? `[${host}]` : host}:${String(bound)}` };
    },
    close: async () => {
      if (server) await drained(server, timers);
    },
  };
};

const drained = (server: Server, timers: Timers): Promise<void> =>
  new Promise((resolve) => {
    const cancel = timers.after(DRAIN_MS, () => {
      server.closeAllConnections();
    });
    // The streams have just ended: their connections are idle in a moment.
    const cancelIdle = timers.after(IDLE_MS, () => {
      server.closeIdleConnections();
    });
    server.close(() => {
      cancel();
      cancelIdle();
      resolve();
    });
    server.closeIdleConnections();
  });
