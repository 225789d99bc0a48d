import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { startChild } from './child-process.ts';
import { findPort } from './free-port.ts';

const script = (code: string): string[] => [process.execPath, '-e', code];
const base = { name: 'toy', env: { PATH: process.env['PATH'] }, readyMs: 20_000 };
const READY = `console.log(JSON.stringify({ msg: 'ready', url: 'http://x' }));`;

describe('a child process', () => {
  it('is ready when it says so; its other lines are passed on; it stops when told', async () => {
    const lines: string[] = [];
    const child = await startChild({
      ...base,
      command: script(
        `process.on('SIGTERM', () => { console.log('bye'); process.exit(0); }); console.log('hello'); console.error('{"ready": torn'); ${READY} setInterval(() => {}, 1000);`,
      ),
      onLine: (line, stream) => lines.push(`${stream} ${line}`),
    });
    expect(child.ready).toEqual({ msg: 'ready', url: 'http://x' });
    await child.stop(5000);
    await child.stop(5000);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(lines).toEqual(expect.arrayContaining(['stdout hello', 'stderr {"ready": torn', 'stdout bye']));
  });

  it('is killed when it does not stop within the grace period', async () => {
    const child = await startChild({
      ...base,
      command: script(`process.on('SIGTERM', () => {}); ${READY} setInterval(() => {}, 1000);`),
      onLine: () => undefined,
    });
    await child.stop(50);
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('that ends before it is ready fails with its last words', async () => {
    const starting = startChild({
      ...base,
      command: script(`console.error('no such key'); process.exit(64);`),
      onLine: () => undefined,
    });
    await expect(starting).rejects.toMatchObject({
      message: 'the toy ended with code 64 before it was ready',
      todo: expect.stringContaining('no such key'),
    });
  });

  it('that is never ready is stopped', async () => {
    const starting = startChild({
      ...base,
      readyMs: 300,
      command: script('setInterval(() => {}, 1000);'),
      onLine: () => undefined,
    });
    await expect(starting).rejects.toMatchObject({
      code: 'child-failed',
      message: expect.stringContaining('was not ready after'),
    });
  });

  it('that does not exist is named', async () => {
    const starting = startChild({ ...base, command: ['/nowhere/tollgate-toy'], onLine: () => undefined });
    await expect(starting).rejects.toMatchObject({ message: expect.stringContaining('cannot be started') });
  });

  it.each([
    ['stops by itself', `process.on('SIGTERM', () => process.exit(7));`],
    ['ends even though it would go on for long', `process.on('SIGTERM', () => {});`],
  ])(
    '%s when its parent has gone, with the preload',
    async (_, onSigterm) => {
      const preload = new URL('./stop-with-parent.ts', import.meta.url).href;
      const toy = `${onSigterm} console.log(JSON.stringify({ msg: 'ready' })); setInterval(() => {}, 1000);`;
      // The middle process starts the toy, says its pid and dies at once, as by kill -9.
      const middle = await startChild({
        ...base,
        command: script(
          `const { spawn } = require('node:child_process');
         const toy = spawn(process.execPath, ['--import', ${JSON.stringify(preload)}, '-e', ${JSON.stringify(toy)}], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
         toy.stdout.once('data', () => { console.log(JSON.stringify({ msg: 'ready', pid: toy.pid })); process.kill(process.pid, 'SIGKILL'); });`,
        ),
        onLine: () => undefined,
      });
      const pid = Number(middle.ready['pid']);
      const isAlive = (): boolean => {
        try {
          return process.kill(pid, 0);
        } catch {
          return false;
        }
      };
      while (isAlive()) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    20_000,
  );
});

describe('a child with the preload', () => {
  it('is not stopped by a worker thread of its own, whose stdin is at its end', async () => {
    const code = `const { Worker } = require('node:worker_threads');
      new Worker('setTimeout(() => {}, 100)', { eval: true }).once('exit', () => console.log('worker over'));
      console.log(JSON.stringify({ msg: 'ready' })); setInterval(() => {}, 1000);`;
    let over: () => void = () => undefined;
    const workerOver = new Promise<void>((resolve) => (over = resolve));
    const child = await startChild({
      ...base,
      command: [process.execPath, '--import', new URL('./stop-with-parent.ts', import.meta.url).href, '-e', code],
      onLine: (line) => line === 'worker over' && over(),
    });
    await workerOver;
    process.kill(child.pid, 0);
    await child.stop(5000);
  });
});

describe('a wanted port', () => {
  it('is found when it is free, and any free one is found for 0', async () => {
    const port = await findPort({ host: '127.0.0.1', port: 0, what: 'the proxy', setting: '--port' });
    expect(await findPort({ host: '127.0.0.1', port, what: 'the proxy', setting: '--port' })).toBe(port);
  });

  it('that is taken is named with the setting that changes it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const wanted = { host: '127.0.0.1', port, what: 'the proxy', setting: '--port', pause: () => Promise.resolve() };
    await expect(findPort(wanted)).rejects.toMatchObject({
      code: 'port-in-use',
      message: `port ${port} on 127.0.0.1, wanted for the proxy, is in use by another process`,
      todo: expect.stringContaining('--port PORT'),
    });
    await new Promise((resolve) => server.close(resolve));
  });

  it('that comes free in a moment is waited for, as after a start that was killed', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    let looks = 0;
    const pause = async (): Promise<void> => {
      looks += 1;
      if (looks === 3) await new Promise((resolve) => server.close(resolve));
    };
    const wanted = { host: '127.0.0.1', port, what: 'the proxy', setting: '--port', pause };
    expect([await findPort(wanted), looks]).toEqual([port, 3]);
  });

  it('on a host that is not here is a fault of the settings', async () => {
    await expect(findPort({ host: '192.0.2.1', port: 0, what: 'the proxy', setting: '--port' })).rejects.toMatchObject({
      code: 'config',
    });
  });
});
