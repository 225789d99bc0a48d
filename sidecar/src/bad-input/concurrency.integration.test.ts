/** Bad input, ninth theme: many at once, and callers that hang up (reliability.md 4.3). */
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { aLimit, aSnapshot, aSnapshotBudget, makeMockPrices } from '../testing/objects.ts';
import { aChat, callJson } from '../testing/call.ts';
import { startHarness, type Harness, type HarnessOptions } from '../testing/harness.ts';
import { untilQuiet } from '../testing/metrics.ts';
import { CHAT_PATH, rawCall } from '../testing/raw-call.ts';

const prices = makeMockPrices();
const opened: Harness[] = [];
const open = async (options: HarnessOptions): Promise<Harness> => {
  const own = await startHarness({ prices, ...options });
  opened.push(own);
  return own;
};
afterEach(async () => {
  for (const each of opened.splice(0)) await each.stop();
});

const withLimit = (max: string): HarnessOptions => ({
  snapshot: aSnapshot({ budgets: [aSnapshotBudget({ waitSeconds: 0, limits: [aLimit({ max })] })] }),
});

describe('calls at once', () => {
  it('row 41: of 50 with headroom for one, exactly one passes', async () => {
    const probe = await open({ snapshot: aSnapshot() });
    await callJson(`${probe.url}${CHAT_PATH}`, aChat());
    const [one] = await probe.events(1);
    const on = await open(withLimit(String(one?.held ?? 0n)));
    on.mock.holdAnswers();
    const refusals: number[] = [];
    const pending = Array.from({ length: 50 }, async () => {
      const { status } = await callJson(`${on.url}${CHAT_PATH}`, aChat());
      if (status !== 200) refusals.push(status);
      // The one that passed is answered only after all others were refused.
      if (refusals.length === 49) on.mock.release();
      return status;
    });
    const statuses = await Promise.all(pending);
    expect([
      statuses.filter((status) => status === 200).length,
      statuses.filter((status) => status === 429).length,
    ]).toEqual([1, 49]);
    expect(on.mock.log).toHaveLength(1);
  });
});

/** Of each kind. */
const CALLS = 500;
const AT_ONCE = 50;

describe('a caller that hangs up', () => {
  /** Sends a call and hangs up at the first byte that `until` finds in the answer, or at once where the provider has the call. */
  const hangUp = (on: Harness, bytes: Buffer, until: string | null): Promise<void> =>
    new Promise((resolve) => {
      let received = '';
      const socket = connect(on.port, '127.0.0.1', () => socket.write(bytes));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
      socket.on('data', (piece) => {
        received += piece.toString('latin1');
        if (until !== null && received.includes(until)) socket.resetAndDestroy();
      });
      if (until === null) setTimeout(() => socket.resetAndDestroy(), 20);
    });

  const many = async (once: () => Promise<void>): Promise<void> => {
    let left = CALLS;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await once();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  };

  const expectAllCharged = async (on: Harness): Promise<void> => {
    await untilQuiet(on);
    await on.mock.untilIdle();
    const sent = on.mock.log.length;
    const events = on.controlPlane.events.filter(({ settle }) => settle !== 'void');
    expect(events).toHaveLength(sent);
    expect(events.filter(({ charged }) => charged <= 0n)).toEqual([]);
    const charged = events.reduce((sum, event) => sum + event.charged, 0n);
    expect(charged).toBeGreaterThanOrEqual(on.mock.bill());
    expect(events.filter((event) => event.charged > event.held)).toEqual([]);
  };

  it('row 42: before the first byte, five hundred times, is charged each time', async () => {
    const on = await open(withLimit('1000000000000'));
    const bytes = rawCall({ lines: ['x-mock-delay: 30'], body: JSON.stringify(aChat()) });
    await many(() => hangUp(on, bytes, null));
    expect(on.mock.log.length).toBeGreaterThan(0);
    await expectAllCharged(on);
  });

  it('row 42: before the usage of a stream, five hundred times, is charged each time', async () => {
    const on = await open(withLimit('1000000000000'));
    const bytes = rawCall({
      lines: ['x-mock-chunk-delay: 5', 'x-mock-chunk-tokens: 8'],
      body: JSON.stringify(aChat({ stream: true })),
    });
    await many(() => hangUp(on, bytes, '"content":'));
    await expectAllCharged(on);
    expect(on.mock.log).toHaveLength(CALLS);
  });

  it('row 42: before its body has come is charged nothing, and holds nothing', async () => {
    const on = await open(withLimit('1000000000'));
    const call = rawCall();
    await Promise.all(Array.from({ length: 50 }, () => hangUp(on, call.subarray(0, call.length - 10), null)));
    expect((await callJson(`${on.url}${CHAT_PATH}`, aChat())).status).toBe(200);
    await on.events(1);
    expect([on.controlPlane.events.length, on.mock.log.length]).toEqual([1, 1]);
  });
});
