/** The control plane in memory, spoken to over HTTP: for a proxy that runs as a process of its own. */
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import {
  decodeAcquireRequest,
  decodeClose,
  decodeEvents,
  decodeGiveBack,
  decodeHello,
  decodeRunning,
  encodeAcquireResult,
  encodeHelloReply,
  encodePing,
  encodeSnapshot,
  sealEvent,
} from '@tollgate/ledger/wire';
import type { MemoryControlPlane } from './memory-control-plane.ts';

export interface HttpControlPlane {
  readonly url: string;
  stop(): Promise<void>;
}

export const serveControlPlane = async (controlPlane: MemoryControlPlane): Promise<HttpControlPlane> => {
  const stopping = new AbortController();
  const answer = async (path: string, body: string): Promise<string> => {
    switch (path) {
      case '/v1/hello':
        return encodeHelloReply(await controlPlane.hello(decodeHello(body)));
      case '/v1/running':
        await controlPlane.running(decodeRunning(body));
        return '';
      case '/v1/lease':
        return encodeAcquireResult(await controlPlane.acquire(decodeAcquireRequest(body)));
      case '/v1/give-back':
        await controlPlane.giveBack(decodeGiveBack(body));
        return '';
      case '/v1/events':
        return JSON.stringify({ ack: await controlPlane.ship(decodeEvents(body).events.map(sealEvent)) });
      case '/v1/close':
        await controlPlane.closeEpoch(decodeClose(body));
        return '';
      default:
        throw new Error(`no ${path}`);
    }
  };
  const server = createServer((req, res) => {
    const path = (req.url ?? '').split('?')[0] ?? '';
    if (path === '/v1/snapshots') {
      res.writeHead(200, { 'content-type': 'application/x-ndjson' });
      void controlPlane.watchSnapshots({
        instance: '',
        onSnapshot: (snapshot) => void res.write(encodeSnapshot(snapshot)),
        onRecall: () => undefined,
        onLine: () => void res.write(encodePing()),
        onFault: () => undefined,
        signal: stopping.signal,
      });
      return;
    }
    bodyOf(req)
      .then((body) => answer(path, body))
      .then(
        (text) => res.writeHead(text === '' ? 204 : 200, { 'content-type': 'application/json' }).end(text),
        (error: unknown) =>
          res.writeHead(400).end(JSON.stringify({ error: { code: 'bad_request', message: String(error) } })),
      );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? String(address.port) : ''}`,
    async stop() {
      stopping.abort();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

const bodyOf = async (req: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};
