/** The port for the platform, not for callers: probes and metrics. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { listenUrl, type ListenAddress } from './listen-address.ts';

/** A "no" says why, in words that name no tenant. */
export type ProbeAnswer = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface AdminProbes {
  /** Is the process able to go on? A "no" asks for a restart. */
  live(): ProbeAnswer;
  /** May calls be sent here now? */
  ready(): ProbeAnswer;
  /** Has it been ready once? */
  started(): ProbeAnswer;
}

export interface AdminServer {
  readonly address: ListenAddress;
  readonly url: string;
  close(): Promise<void>;
}

export interface AdminServerOptions {
  readonly listen: ListenAddress;
  readonly probes: AdminProbes;
  readonly metrics: { readonly contentType: string; page(): Promise<string> };
  /** What `/status` says, as JSON that names no tenant; absent = no such page. */
  readonly status?: () => object;
}

/** Resolves when the port is bound. */
export const startAdminServer = async ({
  listen,
  probes,
  metrics,
  status,
}: AdminServerOptions): Promise<AdminServer> => {
  const limits = { headersTimeout: 5_000, requestTimeout: 5_000, maxHeaderSize: 8_192 };
  const server = createServer(
    limits,
    (request, response) => void answer(request, response, { probes, metrics, status }),
  );
  server.maxRequestsPerSocket = 1_000;
  const address = await bind(server, listen);
  return {
    address,
    url: listenUrl(address),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const bind = (server: Server, { host, port }: ListenAddress): Promise<ListenAddress> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`cannot listen on ${host}:${port} for the admin port`, { cause })),
    );
    server.listen(port, host, () => {
      const bound = server.address();
      resolve({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port });
    });
  });

const answer = async (
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
  {
    probes,
    metrics,
    status,
  }: Pick<AdminServerOptions, 'probes' | 'metrics'> & {
    readonly status: AdminServerOptions['status'] | undefined;
  },
): Promise<void> => {
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(response, 405, 'text/plain', 'method not allowed\n');
  }
  switch (url.replace(/[?#].*$/, '')) {
    case '/livez':
      return sendProbe(response, probes.live());
    case '/readyz':
      return sendProbe(response, probes.ready());
    case '/startupz':
      return sendProbe(response, probes.started());
    case '/metrics':
      try {
        return send(response, 200, metrics.contentType, await metrics.page());
      } catch {
        return send(response, 500, 'text/plain', 'metrics could not be collected\n');
      }
    case '/status':
      if (status === undefined) break;
      return send(response, 200, 'application/json', `${JSON.stringify(status())}\n`);
    default:
  }
  return send(response, 404, 'text/plain', 'not found\n');
};

const sendProbe = (response: ServerResponse, probe: ProbeAnswer): void =>
  probe.ok ? send(response, 200, 'text/plain', 'ok\n') : send(response, 503, 'text/plain', `${probe.reason}\n`);

const send = (response: ServerResponse, status: number, contentType: string, body: string): void => {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
};
