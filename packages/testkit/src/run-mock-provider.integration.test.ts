import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runMockProvider } from './run-mock-provider.ts';
import type { RunningMockProvider } from './run-mock-provider.ts';

const lines: string[] = [];
let running: RunningMockProvider;
let logFile: string;

beforeAll(async () => {
  logFile = join(await mkdtemp(join(tmpdir(), 'mock-provider-')), 'calls.jsonl');
  running = await runMockProvider({ port: 0, logFile, print: (line) => lines.push(line) });
});
afterAll(() => running.stop());

const control = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(running.url + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
};

const call = (model = 'gpt-4o') =>
  fetch(`${running.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], max_tokens: 10 }),
  }).then(async (response) => {
    await response.text();
    return response.status;
  });

it('prints one ready line that names itself and its log', () => {
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    { msg: 'ready', url: running.url, log: `${running.url}/__mock/log`, bill: `${running.url}/__mock/bill` },
  ]);
});

it('shows its log and its bill, and writes the log to its file', async () => {
  await call();
  await call('a-model-without-a-price');
  expect((await control('GET', '/__mock/bill')).body).toEqual({ calls: 2, billedNano: '112500', unpriced: 1 });
  const shown = await (await fetch(`${running.url}/__mock/log`)).text();
  expect(shown.trim().split('\n')).toHaveLength(2);
  expect(JSON.parse(shown.split('\n')[0] ?? '')).toMatchObject({ model: 'gpt-4o', billedNano: '112500' });
});

it('takes behaviour from outside, and refuses what it does not know', async () => {
  const rule = { match: { model: 'gpt-4o' }, times: 1, behaviour: { status: 503, 'retry-after': '1' } };
  expect((await control('POST', '/__mock/script', rule)).status).toBe(200);
  expect([await call(), await call()]).toEqual([503, 200]);
  expect((await control('POST', '/__mock/script', { behaviour: { staus: 1 } })).status).toBe(400);
  expect((await control('POST', '/__mock/script', [])).status).toBe(400);
  await control('POST', '/__mock/script', { behaviour: { status: 500 } });
  await control('DELETE', '/__mock/script');
  expect(await call()).toBe(200);
  expect((await control('GET', '/__mock/none')).status).toBe(404);
});

it('holds answers back until told to release them', async () => {
  await control('POST', '/__mock/hold');
  const held = call();
  await control('POST', '/__mock/release');
  expect(await held).toBe(200);
});

it('has the whole log on disk once it has stopped', async () => {
  await running.stop();
  const written = (await readFile(logFile, 'utf8')).trim().split('\n');
  expect(written.map((line): unknown => JSON.parse(line))).toHaveLength(6);
  running = { url: running.url, stop: () => Promise.resolve() };
});
