import { afterEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { aChat, callJson } from './testing/call.ts';
import { startHarness, type Harness, type HarnessOptions } from './testing/harness.ts';
import { aLimit, aSnapshot, aSnapshotBudget, makeMockPrices } from './testing/objects.ts';
import type { SnapshotBudget } from '@tollgate/api';

describe('the life of a proxy', () => {
  let harness: Harness | null = null;
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    await harness?.stop();
    harness = null;
    for (const stop of stops.splice(0)) await stop();
  });

  const start = async (
    budgets: readonly SnapshotBudget[] = [aSnapshotBudget()],
    more: HarnessOptions = {},
  ): Promise<Harness> => {
    harness = await startHarness({ snapshot: aSnapshot({ budgets }), prices: makeMockPrices(), ...more });
    return harness;
  };
  const chatUrl = ({ url }: Harness): string => `${url}/openai/v1/chat/completions`;
  const stream = (on: Harness, init: RequestInit = {}): Promise<Response> =>
    fetch(chatUrl(on), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-mock-chunk-delay': '40' },
      body: JSON.stringify(aChat({ stream: true, max_tokens: 40 })),
      ...init,
    });

  describe('stopping', () => {
    it('lets the open stream end, refuses new calls, delivers every event and gives all leases back', async () => {
      const on = await start();
      const open = await stream(on);
      const reader = open.text();
      const stopping = on.proxy.stop();
      await expect(callJson(chatUrl(on), aChat())).rejects.toThrow();
      expect(await reader).toContain('[DONE]');
      const { failed, late } = await stopping;
      expect([failed, late]).toEqual([[], []]);
      expect(on.controlPlane.events.map(({ settle }) => settle)).toEqual(['usage']);
      const tallies = on.controlPlane.source.tallies();
      expect(tallies.map(({ settled }) => settled)).toEqual([on.mock.bill()]);
    });
  });

  describe('without its control plane', () => {
    it('ends at once and in order where it never heard of one: it has nothing to give back or to report', async () => {
      const on = await start(undefined, { startsAlone: true });
      expect(await on.proxy.stop()).toMatchObject({ failed: [], late: [] });
    });

    it('goes on while the leases in hand suffice, then answers 503, and recovers by itself', async () => {
      const on = await start([aSnapshotBudget({ limits: [aLimit({ unit: 'requests', max: '100000' })] })]);
      expect((await callJson(chatUrl(on), aChat())).status).toBe(200);
      on.controlPlane.setDown(true);
      expect((await callJson(chatUrl(on), aChat())).status).toBe(200);
      let answer = await callJson(chatUrl(on), aChat());
      for (let i = 0; i < 2_000 && answer.status === 200; i += 1) answer = await callJson(chatUrl(on), aChat());
      expect([answer.status, answer.error?.code, answer.headers.get('retry-after')]).toEqual([
        503,
        'budget_store_unavailable',
        '5',
      ]);
      on.controlPlane.setDown(false);
      expect((await callJson(chatUrl(on), aChat())).status).toBe(200);
      await on.events(on.mock.log.length);
    });

    it('is live but not ready before the first policy, and a call waits for it', async () => {
      const on = await start([aSnapshotBudget()], { startsAlone: true });
      const probe = async (path: string): Promise<number> => (await fetch(`${on.adminUrl}/${path}`)).status;
      expect([await probe('livez'), await probe('startupz'), await probe('readyz')]).toEqual([200, 200, 503]);
      const waiting = callJson(chatUrl(on), aChat());
      on.controlPlane.setDown(false);
      expect([(await waiting).status, await probe('readyz')]).toEqual([200, 200]);
    });
  });

  describe('a caller who leaves', () => {
    const leave = async (on: Harness, chunks: number): Promise<void> => {
      const gone = new AbortController();
      const answer = await stream(on, { signal: gone.signal });
      const reader = answer.body?.getReader();
      for (let i = 0; i < chunks; i += 1) await reader?.read();
      gone.abort();
    };

    it('is charged what the provider says, read on for after he left', async () => {
      const on = await start();
      await leave(on, 2);
      const [event] = await on.events(1);
      await on.mock.untilIdle();
      expect(event).toMatchObject({ settle: 'usage', charged: on.mock.bill() });
    });

    it('of an answer in many small pieces is charged what the provider says: a cent is counted in text, not in frames', async () => {
      const on = await start([aSnapshotBudget({ limits: [aLimit({ max: '25000000000' })] })]);
      const gone = new AbortController();
      // At gpt-4o's price a cent is 4,000 bytes of text; this answer's frames are some ten times that.
      const answer = await stream(on, {
        signal: gone.signal,
        headers: { 'content-type': 'application/json', 'x-mock-output-tokens': '200', 'x-mock-chunk-delay': '2' },
        body: JSON.stringify(aChat({ model: 'gpt-4o', stream: true, max_tokens: 400 })),
      });
      await answer.body?.getReader().read();
      gone.abort();
      const [event] = await on.events(1);
      await on.mock.untilIdle();
      expect(event).toMatchObject({ settle: 'usage', charged: on.mock.bill() });
    });

    it('is charged input, delivery and a margin where reading on is cut, never nothing', async () => {
      const on = await start([aSnapshotBudget({ onDisconnect: 'Cancel' })]);
      await leave(on, 3);
      const [event] = await on.events(1);
      await on.mock.untilIdle();
      expect(event?.settle).toBe('abandoned');
      expect(event?.charged).toBeGreaterThanOrEqual(on.mock.bill());
      expect(event?.charged).toBeLessThan(event?.held ?? 0n);
    });

    it('is charged the whole hold where the model may have reasoned out of sight', async () => {
      const on = await start([aSnapshotBudget({ onDisconnect: 'Cancel' })]);
      const gone = new AbortController();
      const body = JSON.stringify(
        aChat({ model: 'gpt-5-mini', stream: true, max_tokens: undefined, max_completion_tokens: 400 }),
      );
      const answer = await stream(on, { signal: gone.signal, body });
      await answer.body?.getReader().read();
      gone.abort();
      const [event] = await on.events(1);
      expect(event?.settle).toBe('hold');
      expect(event?.charged).toBe(event?.held);
    });

    it('is charged the whole hold under Strict', async () => {
      const on = await start([aSnapshotBudget({ onDisconnect: 'Cancel', preset: 'Strict' })]);
      await leave(on, 1);
      const [event] = await on.events(1);
      expect(event).toMatchObject({ settle: 'hold' });
      expect(event?.charged).toBe(event?.held);
    });
  });

  describe('an answer that there is no room to keep', () => {
    it('passes whole, and is charged at its hold', async () => {
      const on = await start([aSnapshotBudget()], { env: { TOLLGATE_MAX_BUFFERED_BYTES: '200000' } });
      const answer = await callJson(chatUrl(on), aChat(), { headers: { 'x-mock-body-bytes': '1000000' } });
      await on.mock.untilIdle();
      const digest = createHash('sha256').update(answer.text).digest('hex');
      expect([answer.status, digest]).toEqual([200, on.mock.log[0]?.responseSha256]);
      const [event] = await on.events(1);
      expect(event?.settle).toBe('hold');
      expect((await callJson(chatUrl(on), aChat())).headers.get('x-tollgate-cost-usd')).not.toBeNull();
    });
  });

  describe('WebSockets', () => {
    const startEcho = async (): Promise<string> => {
      const server = createServer().on('upgrade', (req, socket) => {
        socket.on('error', () => socket.destroy());
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n');
        socket.write(`path ${req.url ?? ''} by ${String(req.headers['x-tollgate-org'])}`);
        socket.pipe(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      stops.push(() => server.close());
      return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    };
    const upgrade = (port: number, protocol = 'websocket'): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(
            `GET /openai/v1/realtime?model=gpt-4o-realtime HTTP/1.1\r\nhost: 127.0.0.1:${String(port)}\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nx-tollgate-org: forged\r\n\r\n`,
          );
        });
        let text = '';
        socket.on('data', (piece: Buffer) => {
          text += piece.toString();
          if (text.includes('by undefined') || (text.includes('\r\n\r\n') && !text.startsWith('HTTP/1.1 101'))) {
            socket.destroy();
            resolve(text);
          }
        });
        socket.on('error', reject);
      });

    it('pass without a budget, stripped of what callers may not say', async () => {
      const on = await start([], { upstream: await startEcho() });
      expect(await upgrade(on.port)).toContain('path /v1/realtime?model=gpt-4o-realtime by undefined');
    });

    it('are refused under a Hard budget', async () => {
      const on = await start([aSnapshotBudget()], { upstream: await startEcho() });
      expect(await upgrade(on.port)).toContain('HTTP/1.1 400 unboundable_request');
    });

    it('are the only upgrade that is served', async () => {
      const on = await start([], { upstream: await startEcho() });
      expect(await upgrade(on.port, 'h2c')).toMatch(/^HTTP\/1.1 400/);
    });
  });
});
