import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTcpFaultProxy, type TcpFaultProxy } from './tcp-fault-proxy.ts';

/** Answers each byte with the same byte. */
let echo: Server;
let link: TcpFaultProxy;
let opened: Socket[] = [];
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeEach(async () => {
  opened = [];
  echo = createServer((socket) => {
    opened.push(socket);
    socket.on('error', () => undefined).pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  link = await startTcpFaultProxy(() => ({ host: '127.0.0.1', port: portOf(echo) }));
});
afterEach(async () => {
  await link.stop();
  for (const socket of opened) socket.destroy();
  echo.close();
});

interface Caller {
  readonly socket: Socket;
  got(): string;
  /** Resolves once so much has come back. */
  until(length: number): Promise<string>;
  readonly ended: Promise<string>;
}

const call = async (): Promise<Caller> => {
  const socket = connect(link.port, '127.0.0.1');
  let got = '';
  const waiting = new Set<() => void>();
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString();
    for (const look of waiting) look();
  });
  let why = 'end';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    why = error.code ?? 'error';
  });
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(why)));
  await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', () => resolve()));
  return {
    socket,
    got: () => got,
    until: (length) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (got.length >= length) resolve(got);
        };
        waiting.add(look);
        look();
      }),
    ended,
  };
};
/** Two turns through the sockets of this process: what would come has come. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

describe('a good link', () => {
  it('carries bytes both ways and ends when a side ends', async () => {
    const caller = await call();
    caller.socket.write('hello');
    expect(await caller.until(5)).toBe('hello');
    caller.socket.end();
    expect(await caller.ended).toBe('end');
  });

  it('asks for its target at each connection, and resets the caller when there is none', async () => {
    let isThere = true;
    await link.stop();
    link = await startTcpFaultProxy(() => (isThere ? { host: '127.0.0.1', port: portOf(echo) } : null));
    const first = await call();
    first.socket.write('a');
    await first.until(1);
    isThere = false;
    const second = await call();
    expect(await second.ended).toMatch(/end|ECONNRESET/);
    first.socket.write('b');
    expect(await first.until(2)).toBe('ab');
    first.socket.destroy();
  });
});

describe('a black hole', () => {
  it.each(['up', 'down'] as const)('holds back what goes %s, and lets all of it through once healed', async (way) => {
    const caller = await call();
    caller.socket.write('1');
    await caller.until(1);
    link.set({ [way]: { isHeld: true } });
    caller.socket.write('2');
    caller.socket.write('3');
    await settle();
    expect(caller.got()).toBe('1');
    link.heal();
    expect(await caller.until(3)).toBe('123');
    caller.socket.destroy();
  });

  it('takes new connections and says nothing', async () => {
    link.set({ accept: 'silence' });
    const caller = await call();
    caller.socket.write('hello');
    await settle();
    expect([caller.got(), opened.length, link.connections()]).toEqual(['', 0, 1]);
    link.cutAll();
    expect(await caller.ended).toMatch(/end|ECONNRESET/);
  });

  it('makes the sender wait when it holds too much', async () => {
    const caller = await call();
    link.set({ up: { isHeld: true } });
    const much = Buffer.alloc(1 << 20, 'x');
    caller.socket.write(much);
    await settle();
    link.heal();
    expect((await caller.until(much.length)).length).toBe(much.length);
    caller.socket.destroy();
  });
});

describe('a slow link', () => {
  it('delivers late and in order', async () => {
    const caller = await call();
    link.set({ down: { delayMs: 30 } });
    const before = performance.now();
    caller.socket.write('1');
    caller.socket.write('2');
    expect(await caller.until(2)).toBe('12');
    expect(performance.now() - before).toBeGreaterThan(25);
    caller.socket.destroy();
  });

  it('passes no more a second than it may', async () => {
    const caller = await call();
    link.set({ up: { bytesPerSecond: 20 } });
    const before = performance.now();
    caller.socket.write('123');
    expect(await caller.until(3)).toBe('123');
    expect(performance.now() - before).toBeGreaterThan(75);
    caller.socket.destroy();
  });
});

describe('a broken link', () => {
  it('cuts after the n-th byte, whatever the chunks', async () => {
    link.set({ down: { cutAfterBytes: 4 }, cut: 'close' });
    const caller = await call();
    caller.socket.write('123456');
    expect([await caller.ended, caller.got()]).toEqual(['end', '1234']);
  });

  it('resets new connections and those that are open', async () => {
    const caller = await call();
    caller.socket.write('1');
    await caller.until(1);
    link.cutAll('reset');
    expect(await caller.ended).toBe('ECONNRESET');
    link.set({ accept: 'reset' });
    expect(await (await call()).ended).toMatch(/end|ECONNRESET/);
  });

  it('does not tell the target that a caller has gone, when half open', async () => {
    link.set({ isHalfOpen: true });
    const caller = await call();
    caller.socket.write('1');
    await caller.until(1);
    caller.socket.destroy();
    await settle();
    expect(opened.map((socket) => socket.destroyed || socket.readableEnded)).toEqual([false]);
  });

  it('does not tell a caller that the target has gone, when half open', async () => {
    link.set({ isHalfOpen: true });
    const caller = await call();
    caller.socket.write('1');
    await caller.until(1);
    for (const socket of opened) socket.resetAndDestroy();
    await settle();
    expect(caller.socket.destroyed).toBe(false);
    caller.socket.destroy();
  });

  it('tells a caller that the target has gone', async () => {
    const caller = await call();
    caller.socket.write('1');
    await caller.until(1);
    for (const socket of opened) socket.resetAndDestroy();
    expect(await caller.ended).toMatch(/end|ECONNRESET/);
  });
});
