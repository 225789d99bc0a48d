import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { closedLoop, openLoop, percentile } from './load.ts';
import { startMockProvider } from './provider/mock-provider.ts';
import type { MockProvider } from './provider/mock-provider.ts';

let provider: MockProvider;
beforeAll(async () => {
  provider = await startMockProvider();
});
afterAll(() => provider.stop());

const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }], max_tokens: 4 });
const target = () => ({ url: `${provider.url}/v1/chat/completions`, body });

it('sends no more than it was bounded to, and counts statuses', async () => {
  const result = await closedLoop(target(), { connections: 4, seconds: 30, maxRequests: 20 });
  expect(result).toMatchObject({ completed: 20, errors: 0, statuses: { 200: 20 } });
  expect(result.totalMs).toHaveLength(20);
  expect(percentile(result.totalMs, 0.5)).toBeGreaterThanOrEqual(percentile(result.firstByteMs, 0));
});

it('sends as many as the rate says', async () => {
  const result = await openLoop(target(), { perSecond: 100, seconds: 0.2 });
  expect(result).toMatchObject({ completed: 20, errors: 0 });
});

it('counts latency from when a request was due, and what it may not send as an error', async () => {
  const waiting: (() => void)[] = [];
  const server = createServer((_request, response) => void waiting.push(() => response.end('ok')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  let skew = 0; // the generator's own clock leaps, as after a stall
  const load = openLoop(
    { url },
    { perSecond: 1000, seconds: 0.004, maxInFlight: 2, clock: () => performance.now() + skew },
  );
  skew = 5_000;
  while (waiting.length < 2) await new Promise(setImmediate);
  for (const answer of waiting) answer();
  const result = await load;
  expect(result).toMatchObject({ completed: 2, errors: 2 });
  expect(result.totalMs[0]).toBeGreaterThan(4_000);
  server.close();
});

it('counts connections that fail as errors', async () => {
  const gone = await startMockProvider();
  await gone.stop();
  expect(await closedLoop({ url: gone.url }, { connections: 1, seconds: 5, maxRequests: 3 })).toMatchObject({
    completed: 0,
    errors: 3,
  });
  expect(percentile([], 0.5)).toBeNaN();
});
