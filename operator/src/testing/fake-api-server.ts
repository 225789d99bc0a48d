/**
 * An API server of the test's own making over real HTTP: lists in pages, watches with bookmarks, writes with conflicts, and
 * every fault that a real one shows on a bad day, on demand.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { makeFakeApiStore, placeOf, type FakeApiStore, type FakeEvent, type FakePlace } from './fake-api-store.ts';
import { failure, writeTo, type FakeAnswer } from './fake-api-writes.ts';

export interface FakeApiServer {
  /** `http://127.0.0.1:<port>`; the port outlives `down` and `up`. */
  readonly url: string;
  readonly store: FakeApiStore;
  /** Method and path with its query, in the order of coming. */
  readonly requests: readonly string[];
  readonly faults: FakeFaults;
  /** Refuses connections, and resets those that are open. */
  down(): Promise<void>;
  up(): Promise<void>;
  openWatches(): number;
  stop(): Promise<void>;
}

export interface FakeFaults {
  /** The next requests that match answer so. */
  fail(fault: AnswerFault): void;
  /** Answers begin so much later. */
  slow(ms: number): void;
  /** Watches that are open now stay open and tell nothing any more. */
  silence(): void;
  /** So many further events are told to nobody. 0 ends that. */
  lose(events: number): void;
  /** Resets every connection. */
  reset(): void;
  /** Half an event, then a reset. */
  cutLine(): void;
  /** Ends all watches in good order, as the server does after `timeoutSeconds`. */
  close(): void;
  bookmark(): void;
  /** An ERROR event on every open watch. */
  error(status: number, reason: string): void;
  /** Pages that were begun cannot be continued. */
  expirePages(): void;
}

export interface AnswerFault {
  readonly on: 'list' | 'watch' | 'get' | 'write' | 'any';
  readonly times?: number;
  readonly status: number;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly string[];
  /** Instead of a `Status` object. */
  readonly text?: string;
}

interface OpenWatch {
  readonly response: ServerResponse;
  readonly place: FakePlace;
  readonly isPartial: boolean;
  isSilent: boolean;
}

export const startFakeApiServer = async (): Promise<FakeApiServer> => {
  const store = makeFakeApiStore();
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const watches = new Set<OpenWatch>();
  let answerFaults: { readonly fault: AnswerFault; left: number }[] = [];
  let slowMs = 0;
  let toLose = 0;
  /** Pages of an older generation are expired. */
  let pages = 0;

  store.onEvent((event) => {
    if (toLose > 0) {
      toLose -= 1;
      return;
    }
    for (const watch of watches) if (!watch.isSilent) tell(watch, event);
  });
  const speak = (line: (watch: OpenWatch) => unknown): void => {
    for (const watch of watches) if (!watch.isSilent) watch.response.write(`${JSON.stringify(line(watch))}\n`);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://fake');
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const body = await text(request);
    if (slowMs > 0) await new Promise((resolve) => setTimeout(resolve, slowMs));
    const place = placeOf(url.pathname);
    const isPartial = request.headers.accept?.includes('as=PartialObjectMetadata') === true;
    const isWatch = url.searchParams.get('watch') === 'true';
    const method = request.method ?? '';
    const sort = isWatch ? 'watch' : method !== 'GET' ? 'write' : place?.name == null ? 'list' : 'get';
    const fault = takeFault(sort);
    if (fault !== null) {
      sendFault(response, fault);
    } else if (place === null) {
      send(response, failure(404, 'NotFound', `no such path: ${url.pathname}`));
    } else if (isWatch) {
      openWatch(url, response, place, isPartial);
    } else if (method !== 'GET') {
      const isDryRun = url.searchParams.has('dryRun');
      send(response, writeTo(store, { method, place, body: body === '' ? null : JSON.parse(body), isDryRun }));
    } else if (place.name === null) {
      send(response, listPage(url, place, isPartial));
    } else {
      const found = store.get(place.kind, place.namespace, place.name);
      send(
        response,
        found === null ? failure(404, 'NotFound', `${place.name} not found`) : { status: 200, body: found },
      );
    }
  };

  const takeFault = (sort: string): AnswerFault | null => {
    const entry = answerFaults.find(({ fault: { on } }) => on === sort || on === 'any');
    if (entry === undefined) return null;
    entry.left -= 1;
    answerFaults = answerFaults.filter(({ left }) => left > 0);
    return entry.fault;
  };

  const openWatch = (url: URL, response: ServerResponse, place: FakePlace, isPartial: boolean): void => {
    const from = Number(url.searchParams.get('resourceVersion') ?? store.version());
    const backlog = store.since(from);
    if (backlog === null) {
      send(response, failure(410, 'Expired', `too old resource version: ${from}`));
      return;
    }
    if (from > store.version()) {
      const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
      send(response, failure(504, 'Timeout', 'Too large resource version', { causes, retryAfterSeconds: 1 }));
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watch: OpenWatch = { response, place, isPartial, isSilent: false };
    for (const event of backlog) tell(watch, event);
    watches.add(watch);
    response.on('close', () => watches.delete(watch));
  };

  const listPage = (url: URL, { kind, namespace }: FakePlace, isPartial: boolean): FakeAnswer => {
    const limit = Number(url.searchParams.get('limit') ?? 0);
    const token = url.searchParams.get('continue');
    const [generation = pages, start = 0, version = store.version()] = (token ?? '')
      .split('.')
      .filter(Boolean)
      .map(Number);
    if (generation !== pages) return failure(410, 'Expired', 'The provided continue parameter is too old');
    const all = store.list(kind, namespace);
    const end = limit > 0 ? start + limit : all.length;
    const items = all.slice(start, end).map((object) => (isPartial ? partial(object) : object));
    const next = end < all.length ? `${pages}.${end}.${version}` : '';
    return { status: 200, body: { metadata: { resourceVersion: `${version}`, continue: next }, items } };
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const down = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    reset();
    await closed;
  };

  return {
    url: `http://127.0.0.1:${port}`,
    store,
    requests,
    faults: {
      fail: (fault) => void answerFaults.push({ fault, left: fault.times ?? 1 }),
      slow: (ms) => void (slowMs = ms),
      silence: () => {
        for (const watch of watches) watch.isSilent = true;
      },
      lose: (events) => void (toLose = events),
      reset,
      cutLine: () => {
        for (const { response } of watches) {
          response.write('{"type":"ADDED","object":{"metadata":{"name":"ha', () => response.socket?.resetAndDestroy());
        }
      },
      close: () => {
        for (const { response } of watches) response.end();
      },
      bookmark: () =>
        speak(() => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion: `${store.version()}` } } })),
      error: (status, reason) => speak(() => ({ type: 'ERROR', object: failure(status, reason, 'so it is').body })),
      expirePages: () => void (pages += 1),
    },
    down,
    up: () => listen(port),
    openWatches: () => watches.size,
    stop: async () => {
      if (server.listening) await down();
    },
  };
};

const tell = ({ response, place, isPartial }: OpenWatch, { kind, type, object }: FakeEvent): void => {
  if (kind !== place.kind || (place.namespace !== null && object.metadata.namespace !== place.namespace)) return;
  response.write(`${JSON.stringify({ type, object: isPartial ? partial(object) : object })}\n`);
};

const partial = ({ metadata }: { readonly metadata: unknown }) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
});

const send = (response: ServerResponse, { status, body }: FakeAnswer): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

const sendFault = (response: ServerResponse, fault: AnswerFault): void => {
  const { status, reason = 'InternalError', retryAfterSeconds, causes = [], text: plain } = fault;
  const details = { causes: causes.map((cause) => ({ reason: cause })) };
  response.writeHead(status, retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` });
  response.end(plain ?? JSON.stringify(failure(status, reason, 'the test wants it so', details).body));
};
