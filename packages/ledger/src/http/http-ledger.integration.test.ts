/** Against a real HTTP server on loopback, scripted answer by answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Snapshot } from '@tollgate/api';
import { LedgerUnavailable } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { anEvent } from '../spool/testing/an-event.ts';
import { encodePing, encodeRecall, encodeSnapshot } from '../wire/stream-wire.ts';
import { makeHttpLedger, type HttpLedger } from './http-ledger.ts';
import { sealEvent } from '../wire/sealed-event.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body: string;
}

type Script = (asked: Asked, response: ServerResponse, request: IncomingMessage) => void;

let server: Server;
let ledger: HttpLedger;
let script: Script;
let asked: Asked[];
let sockets: Set<Socket>;

beforeEach(async () => {
  asked = [];
  sockets = new Set();
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        path: request.url ?? '',
        token: request.headers.authorization ?? '',
        body: Buffer.concat(chunks).toString(),
      };
      asked.push(one);
      script(one, response, request);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  let reads = 0;
  ledger = makeHttpLedger({
    serverUrl: `http://127.0.0.1:${String(port)}/base/`,
    token: () => `t${String((reads += 1))}`,
    random: () => 0,
    timeouts: { lease: 150, events: 150, hello: 150, silence: 150, reconnectFirst: 10, reconnectMost: 20 },
  });
});

afterEach(async () => {
  ledger.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const answering =
  (status: number, body: string): Script =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body);
  };

const COUNTER = { budget: 'shop/monthly', limit: 'cost', partition: '' };
const ACQUIRE = { instance: 'i1', seq: 1, needs: [{ ...COUNTER, need: 1n, prefer: 2n }] };
const SUBJECT = { namespace: 'shop', workload: 'cart', labels: {}, team: 'shop' };
const DENIED =
  '{"granted":false,"reason":"held","counter":{"budget":"b","limit":"l","partition":""},"need":"1","limit":"2","left":"3","resetMs":null}';
const A_SNAPSHOT: Snapshot = {
  contract: 1,
  version: 'v1',
  organisation: 'o',
  subject: SUBJECT,
  budgets: [],
  routes: [],
  prices: { version: 'p', rows: [], aliases: {} },
};

describe('the ledger over HTTP', () => {
  it('asks on one kept connection, with the token of the moment', async () => {
    script = answering(200, DENIED);
    await expect(ledger.acquire(ACQUIRE)).resolves.toMatchObject({ granted: false, left: 3n });
    await ledger.acquire(ACQUIRE);
    expect(asked.map(({ path, token }) => [path, token])).toEqual([
      ['/base/v1/lease', 'Bearer t1'],
      ['/base/v1/lease', 'Bearer t2'],
    ]);
    expect(sockets.size).toBe(1);
  });

  it('says hello, gives back, ships and closes', async () => {
    script = (one, response) => {
      const reply: Record<string, [number, string]> = {
        '/base/v1/hello': [
          200,
          JSON.stringify({ organisation: 'o', epoch: 'e', subject: SUBJECT, liveProxies: 1, ledgerTimeMs: 1 }),
        ],
        '/base/v1/events': [200, '{"ack":4}'],
      };
      const [status, body] = reply[one.path] ?? [204, ''];
      response.writeHead(status);
      response.end(body);
    };
    await expect(ledger.hello({ contract: 1, instance: 'i1', version: '1', subject: SUBJECT })).resolves.toMatchObject({
      epoch: 'e',
    });
    await ledger.giveBack({
      instance: 'i1',
      seq: 2,
      returns: [{ ...COUNTER, leaseId: 'l', windowId: 'w', epoch: 'e', amount: 1n }],
    });
    await expect(ledger.ship([sealEvent(anEvent(3)), sealEvent(anEvent(4))])).resolves.toBe(4);
    await ledger.closeEpoch({ instance: 'i1', epoch: 'e', lastSeq: 4 });
    await ledger.running({ instance: 'i1', snapshot: 'v1' });
    expect(asked.map(({ path }) => path)).toEqual([
      '/base/v1/hello',
      '/base/v1/give-back',
      '/base/v1/events',
      '/base/v1/close',
      '/base/v1/running',
    ]);
    await expect(ledger.ship([])).rejects.toBeInstanceOf(RangeError);
  });

  it('tells a ledger that is away from one that refuses', async () => {
    const away: readonly Script[] = [
      answering(503, '<html>'),
      answering(500, '{"error":{"code":"internal","message":"m"}}'),
      answering(200, '<html>a captive portal</html>'),
      answering(200, '{"granted":"yes"}'),
      answering(302, ''),
      (_, response) => response.destroy(),
      () => undefined,
      (_, response) => {
        response.writeHead(200, { 'content-length': '500' });
        response.write('{"granted"');
        setTimeout(() => response.destroy(), 5);
      },
      (_, response) => {
        response.writeHead(200);
        response.write('{"granted"');
      },
      (_, response) => {
        response.writeHead(200);
        response.end(Buffer.alloc(9 << 20, 32));
      },
    ];
    for (const one of away) {
      script = one;
      await expect(ledger.acquire(ACQUIRE)).rejects.toBeInstanceOf(LedgerUnavailable);
    }
    script = answering(409, '{"error":{"code":"seq_reused","message":"sequence 1"}}');
    await expect(ledger.acquire(ACQUIRE)).rejects.toMatchObject({
      code: 'ledger_refused',
      status: 409,
      reason: 'seq_reused',
    });
    script = answering(404, 'nothing here');
    await expect(ledger.acquire(ACQUIRE)).rejects.toBeInstanceOf(LedgerRefused);
  });

  it('says so when nobody listens', async () => {
    const nobody = makeHttpLedger({ serverUrl: 'http://127.0.0.1:9', token: () => '', random: Math.random });
    await expect(nobody.acquire(ACQUIRE)).rejects.toMatchObject({
      code: 'ledger_unavailable',
      cause: { code: 'ECONNREFUSED' },
    });
    nobody.close();
    const tls = makeHttpLedger({ serverUrl: 'https://127.0.0.1:9', token: () => '', random: Math.random });
    await expect(tls.acquire(ACQUIRE)).rejects.toBeInstanceOf(LedgerUnavailable);
    tls.close();
  });

  it('asks again at once where a kept connection turned out closed', async () => {
    let calls = 0;
    script = (one, response, request) => {
      calls += 1;
      if (calls === 2) request.socket.destroy();
      else answering(200, DENIED)(one, response, request);
    };
    await ledger.acquire(ACQUIRE);
    await expect(ledger.acquire(ACQUIRE)).resolves.toMatchObject({ granted: false });
    expect(calls).toBe(3);
  });
});

describe('the snapshot stream', () => {
  const collect = (stopAfter: number) => {
    const stop = new AbortController();
    const seen: string[] = [];
    const note = (what: string): void => {
      seen.push(what);
      if (seen.length >= stopAfter) stop.abort();
    };
    const done = ledger.watchSnapshots({
      instance: 'i 1',
      signal: stop.signal,
      onSnapshot: ({ version }) => {
        note(version);
      },
      onRecall: (counters) => {
        note(`recall ${String(counters.length)}`);
      },
      onFault: () => {
        note('fault');
      },
    });
    return { done, seen };
  };

  it('is read line by line wherever it is cut, and survives a line it cannot use', async () => {
    script = (_, response) => {
      response.writeHead(200);
      const text = Buffer.from(
        `${encodeSnapshot({ ...A_SNAPSHOT, organisation: 'Zoë' })}${encodePing()}\n{"contract":99}\nnot json\n${encodeRecall([COUNTER])}${encodeSnapshot({ ...A_SNAPSHOT, version: 'v2' })}`,
      );
      for (let at = 0; at < text.length; at += 7) response.write(text.subarray(at, at + 7));
    };
    const { done, seen } = collect(5);
    await done;
    expect(seen).toEqual(['v1', 'fault', 'fault', 'recall 1', 'v2']);
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/base/v1/snapshots?instance=i%201' });
  });

  it('comes again after an end, a refusal and a silence', async () => {
    let calls = 0;
    script = (_, response) => {
      calls += 1;
      if (calls === 2) {
        response.writeHead(409).end('{"error":{"code":"unknown_instance","message":"say hello"}}');
        return;
      }
      if (calls === 3) {
        response.writeHead(204).end();
        return;
      }
      response.writeHead(200);
      response.write(encodeSnapshot({ ...A_SNAPSHOT, version: `v${String(calls)}` }));
      if (calls === 1) response.end();
    };
    const { done, seen } = collect(7);
    await done;
    expect(seen).toEqual(['v1', 'fault', 'fault', 'fault', 'v4', 'fault', 'v5']);
  });

  it('ends when it is told to, even before it began', async () => {
    script = () => undefined;
    const stop = new AbortController();
    const done = ledger.watchSnapshots({ instance: 'i1', onSnapshot: () => undefined, signal: stop.signal });
    stop.abort();
    await done;
  });

  it('goes on with another server when one is gone, and comes back to neither before it has to', async () => {
    script = answering(200, DENIED);
    const { port } = server.address() as AddressInfo;
    const several = makeHttpLedger({
      serverUrl: ['http://127.0.0.1:1', `http://127.0.0.1:${String(port)}`],
      token: () => 't',
      random: () => 0,
    });
    await expect(several.acquire(ACQUIRE)).resolves.toMatchObject({ granted: false });
    await expect(several.acquire(ACQUIRE)).resolves.toMatchObject({ granted: false });
    script = answering(503, '{"error":{"code":"ledger_backpressure","message":"busy"}}');
    await expect(several.acquire(ACQUIRE)).rejects.toThrow(LedgerUnavailable);
    several.close();
  });
});
