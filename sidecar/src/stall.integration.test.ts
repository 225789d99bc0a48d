/** The event loop stands still: what the provider said meanwhile counts, whatever has become due. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aLimit, aSnapshot, aSnapshotBudget, makeMockPrices } from './testing/objects.ts';
import { startProxyProcess, type ProxyProcess } from './testing/proxy-process.ts';

let proxy: ProxyProcess;
beforeAll(async () => {
  const limits = [aLimit({ max: '25000000000' })];
  const snapshot = aSnapshot({ budgets: [aSnapshotBudget({ limits })] });
  proxy = await startProxyProcess({ snapshot, prices: makeMockPrices() });
});
afterAll(() => proxy.stop());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const pidOf = ({ output }: ProxyProcess): number => {
  const line = output.find((each) => each.includes('"msg":"ready"')) ?? '{}';
  return (JSON.parse(line) as { pid: number }).pid;
};

/** Hangs up at the first byte of the answer. */
const callAndLeave = (url: string, model: string): Promise<void> =>
  new Promise((resolve) => {
    const messages = [{ role: 'user', content: 'hello' }];
    const body = JSON.stringify({ model, messages, max_completion_tokens: 2_000, stream: true });
    const headers = {
      'content-type': 'application/json',
      'x-mock-output-tokens': '1600',
      'x-mock-chunk-tokens': '8',
      'x-mock-chunk-delay': '8',
    };
    const sent = request(`${url}v1/chat/completions`, { method: 'POST', headers }, (answer) => {
      answer.once('data', () => sent.destroy());
    });
    sent.once('error', () => undefined);
    sent.once('close', () => resolve());
    sent.end(body);
  });

describe('an abandoned answer, read on by a proxy that stood still', () => {
  // Of the dearer model less is read on than the answer has.
  it.each(['gpt-4o-mini', 'gpt-4o'])('is charged by all that the provider said in the meantime: %s', async (model) => {
    const { events } = proxy.controlPlane;
    const before = events.length;
    await callAndLeave(proxy.url, model);
    // Long enough for the proxy to see that its caller has gone, too short for the answer to end.
    await pause(40);
    process.kill(pidOf(proxy), 'SIGSTOP');
    await proxy.mock.untilIdle();
    await pause(2_200);
    process.kill(pidOf(proxy), 'SIGCONT');
    for (let look = 0; events.length === before && look < 100; look += 1) await pause(50);
    const bill = proxy.mock.log.at(-1)?.billedNano;
    expect(events.slice(before).map(({ settle, charged }) => [settle, charged])).toEqual([['usage', bill]]);
  });
});
