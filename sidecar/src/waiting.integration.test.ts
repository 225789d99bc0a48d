import { afterEach, describe, expect, it } from '@jest/globals';
import { aChat, callJson, type CallAnswer } from './testing/call.ts';
import { startHarness, type Harness, type HarnessOptions } from './testing/harness.ts';
import { aLimit, aSnapshot, aSnapshotBudget, makeMockPrices } from './testing/objects.ts';

/** By its bytes it may have four times the tokens that it has. */
const aLongChat = (times: number, stated: Record<string, unknown> = {}): Record<string, unknown> => ({
  messages: [{ role: 'user', content: 'The bridge was long and old. '.repeat(times * 200) }],
  ...stated,
});

/** Some more tokens than there are, and no half minute on a busy machine until it is awake. */
const QUICK_COUNT = new URL(
  `data:text/javascript,${encodeURIComponent(
    `import { parentPort } from 'node:worker_threads';
     parentPort.on('message', ({ id, text }) => parentPort.postMessage({ id, tokens: Math.ceil(text.length / 3) }));`,
  )}`,
);

describe('a call that waits for money which an open call holds', () => {
  let harness: Harness | null = null;
  afterEach(async () => {
    harness?.mock.release();
    await harness?.stop();
    harness = null;
  });
  const start = async (more: HarnessOptions): Promise<Harness> => {
    harness = await startHarness({ prices: makeMockPrices(), ...more });
    return harness;
  };
  const chat = ({ url }: Harness, stated: Record<string, unknown> = {}): Promise<CallAnswer> =>
    callJson(`${url}/openai/v1/chat/completions`, aChat(stated));

  it('gets what the open one turns out not to need, and both settle within the limit', async () => {
    const probe = await start({ snapshot: aSnapshot() });
    await chat(probe, aLongChat(1));
    const [first] = await probe.events(1);
    const held = first?.held ?? 0n;
    await probe.stop();

    const limit = (held * 9n) / 5n;
    const on = await start({
      tokenizerWorker: QUICK_COUNT,
      snapshot: aSnapshot({
        budgets: [aSnapshotBudget({ waitSeconds: 30, limits: [aLimit({ unit: 'cost', max: String(limit) })] })],
      }),
    });
    on.mock.holdAnswers();
    const open = chat(on, aLongChat(1));
    await on.mock.gate.untilWaiting(1);
    // Three quarters of the first one's hold in output alone, at four times the price of input.
    const waiting = chat(on, aLongChat(1, { max_tokens: 1_000 }));
    // Both are at the provider, and neither has ended.
    await on.mock.gate.untilWaiting(2);
    on.mock.release();
    expect([(await open).status, (await waiting).status]).toEqual([200, 200]);
    const events = await on.events(2);
    const holds = events.map((event) => event.held);
    expect(holds.reduce((sum, each) => sum + each, 0n)).toBeLessThanOrEqual(limit);
    expect(holds.filter((each) => each < held / 2n)).toHaveLength(1);
    expect(events.reduce((sum, event) => sum + event.charged, 0n)).toBe(on.mock.bill());
    expect(events.map(({ settle }) => settle)).toEqual(['usage', 'usage']);
  });
});
