import { afterEach, describe, expect, it } from '@jest/globals';
import { aLimit, aSnapshot, aSnapshotBudget, makeMockPrices } from './testing/objects.ts';
import { startHarness, type Harness } from './testing/harness.ts';
import { aChat, callJson, type CallAnswer } from './testing/call.ts';

const CALLS = 500;
const ADMITTED = 100;

describe('500 calls at once', () => {
  let harness: Harness | null = null;
  afterEach(async () => {
    await harness?.stop();
    harness = null;
  });

  const start = async (limit: Parameters<typeof aLimit>[0], waitSeconds = 0): Promise<Harness> => {
    harness = await startHarness({
      snapshot: aSnapshot({ budgets: [aSnapshotBudget({ waitSeconds, limits: [aLimit(limit)] })] }),
      prices: makeMockPrices(),
    });
    return harness;
  };
  const call = ({ url }: Harness): Promise<CallAnswer> => callJson(`${url}/openai/v1/chat/completions`, aChat());
  const all = (on: Harness): Promise<CallAnswer>[] => Array.from({ length: CALLS }, () => call(on));
  const count = (answers: readonly CallAnswer[], status: number, code?: string): number =>
    answers.filter((each) => each.status === status && (code === undefined || each.error?.code === code)).length;

  /** What one such call holds and costs, in nano-USD, as its event says. */
  const oneCall = async (): Promise<{ readonly held: bigint; readonly charged: bigint }> => {
    const probe = await startHarness({ snapshot: aSnapshot(), prices: makeMockPrices() });
    await call(probe);
    const [event] = await probe.events(1);
    await probe.stop();
    if (event === undefined) throw new Error('no event');
    return event;
  };

  it('against a limit of 100 requests admit exactly 100', async () => {
    const on = await start({ unit: 'requests', max: String(ADMITTED) });
    const answers = await Promise.all(all(on));
    expect([count(answers, 200), count(answers, 429, 'budget_exhausted') + count(answers, 429, 'budget_held')]).toEqual(
      [ADMITTED, CALLS - ADMITTED],
    );
    await on.events(ADMITTED);
    expect(on.mock.log).toHaveLength(ADMITTED);
  });

  it('against a cost limit of 100 holds, with no answer before all are decided, admit exactly 100 and tell 400 that others hold the money', async () => {
    const { held } = await oneCall();
    const on = await start({ unit: 'cost', max: String(held * BigInt(ADMITTED)) });
    on.mock.holdAnswers();
    const pending = all(on);
    const refused = await firstSettled(pending, CALLS - ADMITTED);
    expect([
      count(refused, 429, 'budget_held'),
      refused.every((each) => each.headers.get('retry-after') !== null),
    ]).toEqual([CALLS - ADMITTED, true]);
    expect(refused[0]?.error?.message).toMatch(/ is unspent but held: by calls in flight .* that are gone /);
    await on.mock.gate.untilWaiting(ADMITTED);
    on.mock.release();
    expect(count(await Promise.all(pending), 200)).toBe(ADMITTED);
  });

  it('against a cost limit of 100 charges, retried as told, spend to within one hold of the limit and never beyond it', async () => {
    const { held, charged } = await oneCall();
    const limit = charged * BigInt(ADMITTED);
    const on = await start({ unit: 'cost', max: String(limit) });
    let spentAtFirstExhausted: bigint | null = null;
    const insist = async (): Promise<void> => {
      for (;;) {
        const answer = await call(on);
        if (answer.status === 200) return;
        expect(answer.status).toBe(429);
        if (answer.error?.code === 'budget_exhausted') {
          spentAtFirstExhausted ??= on.mock.bill();
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get('retry-after')) * 1000));
      }
    };
    await Promise.all(Array.from({ length: CALLS }, insist));
    expect(on.mock.bill()).toBeLessThanOrEqual(limit);
    expect(spentAtFirstExhausted).not.toBeNull();
    expect(spentAtFirstExhausted).toBeGreaterThan(limit - held);
    await on.events(on.mock.log.length);
    const booked = on.controlPlane.events.reduce((sum, event) => sum + event.charged, 0n);
    expect(booked).toBe(on.mock.bill());
  });
});

/** The first so many answers to arrive, of many. */
const firstSettled = (pending: readonly Promise<CallAnswer>[], wanted: number): Promise<CallAnswer[]> =>
  new Promise((resolve, reject) => {
    const settled: CallAnswer[] = [];
    for (const each of pending) {
      each.then((answer) => {
        settled.push(answer);
        if (settled.length === wanted) resolve([...settled]);
      }, reject);
    }
  });
