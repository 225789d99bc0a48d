import { afterEach, describe, expect, it } from '@jest/globals';
import { aChat, callJson } from './testing/call.ts';
import { startHarness, type Harness, type HarnessOptions } from './testing/harness.ts';
import { aSnapshot, makeMockPrices } from './testing/objects.ts';

const DELAY_MS = 200;
const CHUNK_DELAY_MS = 100;

describe('the time of the first byte', () => {
  let harness: Harness | null = null;
  afterEach(async () => {
    await harness?.stop();
    harness = null;
  });

  /** Milliseconds that an attempt waited for its first byte, and then for the end; null: no byte came. */
  const waitsOf = async (body: object, more: HarnessOptions = {}): Promise<readonly (number | null)[]> => {
    harness = await startHarness({ snapshot: aSnapshot(), prices: makeMockPrices(), ...more });
    await callJson(`${harness.url}/openai/v1/chat/completions`, body, {
      headers: { 'x-mock-delay': String(DELAY_MS), 'x-mock-chunk-delay': String(CHUNK_DELAY_MS) },
    });
    const [event] = await harness.events(1);
    if (event === undefined) throw new Error('no event came');
    const { startedAt, firstByteAt, endedAt } = event;
    return firstByteAt === undefined ? [null, null] : [firstByteAt - startedAt, endedAt - firstByteAt];
  };

  it('is recorded of a stream when its first piece comes, long before its end', async () => {
    const [first, rest] = await waitsOf(aChat({ stream: true }));
    // A timer may be a millisecond early.
    expect(first).toBeGreaterThanOrEqual(DELAY_MS - 5);
    expect(rest).toBeGreaterThanOrEqual(CHUNK_DELAY_MS - 5);
  });

  it('is recorded of an answer in one piece as well', async () => {
    const [first, rest] = await waitsOf(aChat());
    expect(first).toBeGreaterThanOrEqual(DELAY_MS - 5);
    expect(rest).toBeGreaterThanOrEqual(0);
  });

  it('is none where nobody answers', async () => {
    expect(await waitsOf(aChat(), { upstream: 'http://127.0.0.1:9' })).toEqual([null, null]);
  });
});
