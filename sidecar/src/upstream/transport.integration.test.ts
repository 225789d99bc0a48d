import { afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { authoritiesWith } from './authorities.ts';
import { makeTransport, type Transport, type TransportDeps } from './transport.ts';
import type { UpstreamControl, UpstreamRequest } from './upstream-call.ts';
import type { UpstreamFault } from './upstream-fault.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const listening = async (server: Server): Promise<string> => {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
};

/** A provider that answers each request, once it is whole, as it is told; `connections` counts those it took. */
const startProvider = async (onRequest: (socket: Socket, text: string, connection: number) => void) => {
  let connections = 0;
  const server = createServer((socket) => {
    const mine = (connections += 1);
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      const whole = text.slice(0, end + 4 + length);
      text = '';
      onRequest(socket, whole, mine);
    });
  });
  return { origin: `http://${await listening(server)}`, connections: () => connections };
};

const open = (change: Partial<TransportDeps> = {}): Transport => {
  const transport = makeTransport({
    isAllowed: () => true,
    proxyFor: () => null,
    extraCa: null,
    connectMs: 2_000,
    ...change,
  });
  stops.push(() => transport.close());
  return transport;
};

interface Told {
  status: number | null;
  body: string;
  end: 'end' | UpstreamFault['kind'];
  code: string | null;
}

const ask = (
  transport: Transport,
  origin: string,
  change: Partial<UpstreamRequest> = {},
  on: { start?(control: UpstreamControl): void; data?(control: UpstreamControl, bytes: number): void } = {},
): Promise<Told> =>
  new Promise((resolve) => {
    const told: Told = { status: null, body: '', end: 'end', code: null };
    let control: UpstreamControl | null = null;
    transport.dispatch(
      {
        origin,
        path: '/v1/x',
        method: 'POST',
        headers: ['content-type', 'application/json'],
        body: [Buffer.from('{}')],
        firstByteMs: 5_000,
        idleMs: 5_000,
        callMs: 10_000,
        ...change,
      },
      {
        onStart: (given) => {
          control = given;
          on.start?.(given);
        },
        onHead: ({ status }) => (told.status = status),
        onData: (bytes) => {
          told.body += bytes.toString('latin1');
          if (control !== null) on.data?.(control, bytes.length);
        },
        onEnd: () => resolve(told),
        onFault: ({ kind, code }) => resolve({ ...told, end: kind, code }),
      },
    );
  });

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
/** And what had arrived by then is read. */
const turns = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(() => setImmediate(() => setImmediate(resolve)), ms));

describe('connections', () => {
  it('carry one call after another, and many at once on as many', async () => {
    const provider = await startProvider((socket) => socket.write(OK));
    const transport = open();
    for (let call = 0; call < 5; call += 1) expect(await ask(transport, provider.origin)).toMatchObject({ body: 'ok' });
    expect(provider.connections()).toBe(1);
    const all = await Promise.all(Array.from({ length: 20 }, () => ask(transport, provider.origin)));
    expect(all.filter(({ end, body }) => end === 'end' && body === 'ok')).toHaveLength(20);
    expect(provider.connections()).toBe(20);
  });

  it('are not used again where the provider says so, or has closed them', async () => {
    const provider = await startProvider((socket, text) => {
      if (text.includes('/bye')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      else if (text.includes('/short'))
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nkeep-alive: timeout=1\r\n\r\nok');
      else socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok');
    });
    const transport = open();
    for (const path of ['/close', '/bye', '/short', '/close']) {
      expect(await ask(transport, provider.origin, { path })).toMatchObject({ end: 'end', body: 'ok' });
      await turns(30);
    }
    expect(provider.connections()).toBe(4);
  });

  it('are not used again after bytes that nobody asked for: they are no one’s answer', async () => {
    const provider = await startProvider((socket, _text, connection) =>
      socket.write(connection === 1 ? `${OK}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison` : OK),
    );
    const transport = open();
    expect(await ask(transport, provider.origin)).toMatchObject({ end: 'end', body: 'ok' });
    expect(await ask(transport, provider.origin)).toMatchObject({ end: 'end', body: 'ok' });
    expect(provider.connections()).toBe(2);
  });

  it('send nothing twice: one that breaks under a call breaks the call', async () => {
    let requests = 0;
    const provider = await startProvider((socket) => {
      requests += 1;
      if (requests === 2) socket.destroy();
      else socket.write(OK);
    });
    const transport = open();
    expect(await ask(transport, provider.origin)).toMatchObject({ end: 'end' });
    expect(await ask(transport, provider.origin)).toMatchObject({ end: 'broken', status: null });
    expect(requests).toBe(2);
    expect(await ask(transport, provider.origin)).toMatchObject({ end: 'end' });
  });

  it('take an answer that came before all of its request did, and then end', async () => {
    const server = createServer((socket) => void socket.once('data', () => socket.pause().write(OK)));
    const origin = `http://${await listening(server)}`;
    const body = [Buffer.alloc(8 << 20), Buffer.alloc(8 << 20)];
    const transport = open();
    expect(await ask(transport, origin, { body })).toMatchObject({ end: 'end', body: 'ok' });
    expect(await ask(transport, origin)).toMatchObject({ end: 'end', body: 'ok' });
  });

  it('carry the bytes of long bodies both ways', async () => {
    const long = 'x'.repeat(3 << 20);
    const provider = await startProvider((socket, text) => {
      const body = text.slice(text.indexOf('\r\n\r\n') + 4);
      socket.write(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      );
    });
    const told = await ask(open(), provider.origin, { body: [Buffer.from(long), Buffer.from('end')] });
    expect([told.end, told.body === `${long}end`]).toEqual(['end', true]);
  });

  it('read on only when the reader does, and wait for it without calling it silence', async () => {
    const provider = await startProvider((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${String(32 << 20)}\r\n\r\n`);
      socket.write(Buffer.alloc(32 << 20));
    });
    let seen = 0;
    let seenWhilePaused = -1;
    const told = await ask(
      open(),
      provider.origin,
      { idleMs: 100 },
      {
        data: (control, bytes) => {
          seen += bytes;
          if (seenWhilePaused >= 0) return;
          control.pause();
          seenWhilePaused = seen;
          setTimeout(() => {
            seenWhilePaused = seen - seenWhilePaused;
            control.resume();
          }, 400);
        },
      },
    );
    expect([told.end, seen, seenWhilePaused]).toEqual(['end', 32 << 20, 0]);
  });
});

describe('a call that fails', () => {
  it('was not sent where no connection could be made', async () => {
    const server = createServer();
    const origin = `http://${await listening(server)}`;
    server.close();
    await once(server, 'close');
    expect(await ask(open(), origin)).toMatchObject({ end: 'unreached', code: 'ECONNREFUSED' });
    expect(await ask(open({ isAllowed: () => false }), origin)).toMatchObject({ end: 'forbidden' });
    expect(await ask(open(), 'http://nowhere.invalid')).toMatchObject({ end: 'unreached' });
    expect(await ask(open(), origin, { headers: ['x-api-key', 'a\r\nb: c'] })).toMatchObject({ end: 'unreached' });
  });

  it('is given up in its time: for the first byte, between two, and in all', async () => {
    const provider = await startProvider((socket, text) => {
      if (text.includes('/head')) return;
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n');
      if (text.includes('/trickle')) {
        const more = setInterval(() => socket.write('1\r\na\r\n'), 20);
        socket.on('close', () => clearInterval(more));
      }
    });
    const transport = open();
    const ends = await Promise.all([
      ask(transport, provider.origin, { path: '/head', firstByteMs: 150 }),
      ask(transport, provider.origin, { path: '/body', idleMs: 150 }),
      ask(transport, provider.origin, { path: '/trickle', callMs: 500 }),
    ]);
    expect(ends.map(({ end }) => end)).toEqual(['silent', 'silent', 'expired']);
  });

  it('is heard of no more once it is taken back, wherever it was', async () => {
    const provider = await startProvider((socket) => socket.write(OK));
    const transport = open();
    let heard = 0;
    const hear = (): void => void (heard += 1);
    void ask(transport, provider.origin, {}, { start: (control) => control.abort() }).then(hear);
    let late: UpstreamControl | null = null;
    void ask(transport, provider.origin, {}, { start: (control) => (late = control) }).then(hear);
    (late as UpstreamControl | null)?.abort();
    expect(await ask(transport, provider.origin)).toMatchObject({ end: 'end' });
    expect(heard).toBe(0);
  });

  it('hears of a transport that closes', async () => {
    let arrived = (): void => undefined;
    const isThere = new Promise<void>((resolve) => (arrived = resolve));
    const provider = await startProvider(() => arrived());
    const transport = open();
    const asked = ask(transport, provider.origin);
    await isThere;
    await transport.close();
    expect(await asked).toMatchObject({ end: 'broken' });
  });

  it('hears of a reader’s own fault, rather than nothing', async () => {
    const provider = await startProvider((socket) => socket.write(OK));
    const transport = open();
    const told = await ask(
      transport,
      provider.origin,
      {},
      {
        data: () => {
          throw new Error('a bug');
        },
      },
    );
    expect(told.end).toBe('broken');
    expect(await ask(transport, provider.origin)).toMatchObject({ end: 'end' });
  });
});

describe('by a proxy', () => {
  /** Tunnels to wherever it is told to, by itself or over TLS; keeps the heads it was sent. */
  const startTunnel = async (to: () => string, answer = 'HTTP/1.1 200 Connection Established\r\n\r\n') => {
    const heads: string[] = [];
    const server = createServer((client) => {
      client.once('data', (bytes: Buffer) => {
        heads.push(bytes.toString('latin1'));
        client.write(answer);
        const [host = '', port = ''] = to().split(':');
        const onward = connect(Number(port), host);
        onward.on('error', () => client.destroy());
        client.on('error', () => onward.destroy());
        client.pipe(onward).pipe(client);
      });
    });
    return { address: await listening(server), heads };
  };

  const startSecure = async (): Promise<{ readonly address: string; readonly cert: string }> => {
    const dir = mkdtempSync(join(tmpdir(), 'tollgate-transport-'));
    stops.push(() => rmSync(dir, { recursive: true, force: true }));
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', ...made, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
    const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
      socket.on('error', () => undefined).on('data', () => void socket.write(OK));
    });
    return { address: await listening(server), cert: readFileSync(cert, 'utf8') };
  };

  it('goes through a tunnel to what speaks TLS, and says who it is', async () => {
    const secure = await startSecure();
    const tunnel = await startTunnel(() => secure.address);
    const transport = open({
      proxyFor: () => `http://me:p%40ss@${tunnel.address}`,
      extraCa: authoritiesWith(secure.cert),
    });
    const origin = `https://localhost:${secure.address.split(':')[1] ?? ''}`;
    for (let call = 0; call < 3; call += 1)
      expect(await ask(transport, origin)).toMatchObject({ end: 'end', body: 'ok' });
    expect(tunnel.heads).toHaveLength(1);
    expect(tunnel.heads[0]).toMatch(/^CONNECT localhost:\d+ HTTP\/1\.1\r\n/);
    expect(tunnel.heads[0]).toContain(`proxy-authorization: Basic ${Buffer.from('me:p@ss').toString('base64')}\r\n`);
  });

  it('says that nothing was sent where the proxy will not', async () => {
    const tunnel = await startTunnel(() => '127.0.0.1:1', 'HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n');
    const transport = open({ proxyFor: () => `http://${tunnel.address}` });
    expect(await ask(transport, 'https://localhost:1')).toMatchObject({ end: 'unreached' });
  });

  it('checks the name of what it reached directly', async () => {
    const secure = await startSecure();
    const transport = open({ extraCa: authoritiesWith(secure.cert) });
    expect(await ask(transport, `https://${secure.address}`)).toMatchObject({ end: 'end', body: 'ok' });
    expect(await ask(open(), `https://${secure.address}`)).toMatchObject({ end: 'unreached' });
  });
});
