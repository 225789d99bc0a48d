/** Bad input, fifth theme: what is meant to fill the memory or to stop the clock, against a proxy process (reliability.md 4.3). */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sendRaw } from '@tollgate/testkit';
import { aLimit, aSnapshot, aSnapshotBudget, makeMockPrices } from '../testing/objects.ts';
import { aChat, callJson } from '../testing/call.ts';
import { startProxyProcess, type ProxyProcess } from '../testing/proxy-process.ts';
import { CHAT_PATH, chunkedCall, rawCall } from '../testing/raw-call.ts';

const MiB = 1024 * 1024;
const LONG = 30 * MiB;
/** In units of what parsing 4 MiB of small objects takes: a third of what 30 MiB of them would. */
const MOST_STALL = 2.5;
/** The collector may fall into any of them: one round without it proves the claim. */
const ROUNDS = 4;

let proxy: ProxyProcess;

beforeAll(async () => {
  // The second limit is always exhausted, and binds the model that only the test of a refusal asks for.
  const limits = [aLimit({ max: '100000000000' }), aLimit({ name: 'none', max: '1', models: ['gpt-4o'] })];
  proxy = await startProxyProcess({
    snapshot: aSnapshot({ budgets: [aSnapshotBudget({ waitSeconds: 0, limits })] }),
    prices: makeMockPrices(),
  });
  // Warm, so that compiling is not taken for a stall.
  for (let i = 0; i < 20; i += 1) await callJson(`${proxy.url}${CHAT_PATH}`, aChat());
  await sendRaw(proxy.url, rawCall({ body: many('{"role":"user"}', 2 * MiB) }));
});

afterAll(() => proxy.stop());

const many = (message: string, bytes: number): string => {
  const count = Math.floor(bytes / (message.length + 1));
  return `{"model":"gpt-4o-mini","messages":[${Array.from({ length: count }, () => message).join(',')}]}`;
};

const one = (text: string, model = 'gpt-4o-mini'): string =>
  `{"model":"${model}","messages":[{"role":"user","content":"${text}"}]}`;

/** Sends it, and asks the process meanwhile whether it lives. */
const serve = async (bytes: Buffer): Promise<number> => {
  const [answer, live] = await Promise.all([
    sendRaw(proxy.url, bytes, { timeoutMs: 20_000 }),
    fetch(`${proxy.adminUrl}/livez`),
  ]);
  expect(live.status).toBe(200);
  return answer.status;
};

/** The shortest of the longest stalls of some rounds; stops at the first that is short enough. */
const bestStall = async (work: () => Promise<void>): Promise<number> => {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && best > MOST_STALL; round += 1)
    best = Math.min(best, await proxy.stallDuring(work));
  return best;
};

describe('a body that is made to be dear to read', () => {
  const lines = ['x-mock-usage-input: 10'];

  it.each<readonly [string, readonly number[], () => string]>([
    ['row 19: 30 MiB of {"role":"user"}', [413], () => many('{"role":"user"}', LONG)],
    ['row 19: 30 MiB of one text', [200], () => one('a'.repeat(LONG))],
    ['row 19: 30 MiB of long messages', [200], () => many(`{"role":"user","content":"${'a'.repeat(1000)}"}`, LONG)],
    ['row 19: 30 MiB of escaped quotes', [413], () => one('\\"'.repeat(LONG / 2))],
    [
      'row 19: 30 MiB of keys',
      [400],
      () => `{${Array.from({ length: LONG / 16 }, (_, n) => `"${String(n).padStart(10, '0')}":1`).join(',')}}`,
    ],
    ['row 19: 30 MiB of brackets', [413], () => `{"x":[${'[],'.repeat(LONG / 3)}[]]}`],
    ['row 19: 30 MiB of blanks', [413], () => ' '.repeat(LONG) + one('a')],
    ['row 19: 30 MiB of U+FDFA', [200], () => one('\ufdfa'.repeat(LONG / 3))],
    ['row 19: 30 MiB of U+FDFA as escapes', [200], () => one('\\ufdfa'.repeat(LONG / 6))],
    ['row 19: 30 MiB that no budget can pay', [429, 400], () => one('a '.repeat(LONG / 2), 'gpt-4o')],
  ])(
    '%s takes at most 96 MiB more, and stops the clock for at most a third of a parse',
    async (_name, statuses, make) => {
      const bytes = rawCall({ body: make(), lines });
      const work = async (): Promise<void> => {
        expect(statuses).toContain(await serve(bytes));
      };
      expect(await proxy.growthDuring(work)).toBeLessThanOrEqual(96 * MiB);
      expect(await bestStall(work)).toBeLessThanOrEqual(MOST_STALL);
    },
  );

  it('row 19: no more of either in chunks, whose sum nobody announced', async () => {
    const bytes = chunkedCall(many('{"role":"user"}', LONG), { lines });
    const work = async (): Promise<void> => {
      expect(await serve(bytes)).toBe(413);
    };
    expect(await proxy.growthDuring(work)).toBeLessThanOrEqual(96 * MiB);
    expect(await bestStall(work)).toBeLessThanOrEqual(MOST_STALL);
  });

  it('row 18: gzip of 1:1000, ten times at once, takes less than 64 MiB more', async () => {
    const bytes = rawCall({ body: gzipSync(Buffer.alloc(100 * MiB)), lines: ['content-encoding: gzip'] });
    const growth = await proxy.growthDuring(async () => {
      expect(await Promise.all(Array.from({ length: 10 }, () => serve(bytes)))).toEqual(
        Array.from({ length: 10 }, () => 415),
      );
    });
    expect(growth).toBeLessThan(64 * MiB);
  });
});

describe('an answer that is made to fill the memory', () => {
  it.each<readonly [string, boolean, string, number]>([
    ['a line of 1 GiB in a stream', true, 'x-mock-line-bytes: 1073741824', 96],
    ['a line of 1 GiB in an answer', false, 'x-mock-line-bytes: 1073741824', 96],
    ['a body of 65 MiB', false, `x-mock-line-bytes: ${String(65 * MiB)}`, 96],
  ])('row 38: %s is cut after 64 MiB, in so much memory and no more', async (_name, stream, line, most) => {
    const before = proxy.controlPlane.events.length;
    const growth = await proxy.growthDuring(async () => {
      const answer = await sendRaw(proxy.url, rawCall({ body: JSON.stringify(aChat({ stream })), lines: [line] }), {
        timeoutMs: 20_000,
      });
      expect(answer.status).toBe(200);
      expect(answer.body.length).toBeLessThan(66 * MiB);
      if (stream) expect(answer.body.subarray(-300).toString()).toContain('"code":"upstream_too_large"');
    });
    expect(growth).toBeLessThanOrEqual(most * MiB);
    while (proxy.controlPlane.events.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    const event = proxy.controlPlane.events[before];
    expect([event?.settle, event?.charged]).toEqual(['hold', event?.held]);
  });
});
