import { describe, expect, it } from '@jest/globals';
import { shippedPriceTable } from '@tollgate/prices/data';
import { chargeLines } from '../format/charge-lines.ts';
import { explanationFrom } from './explanation.ts';
import { rowFinder } from './price-rows.ts';

const attemptAt = (priceRow: unknown, priceVersion: string | null = 'of a route') => {
  const [attempt] = explanationFrom({
    requestId: 'r',
    charged: '0',
    attempts: [
      {
        attempt: 1,
        subject: { namespace: 'n', workload: 'w', labels: {}, team: 't' },
        provider: 'openai',
        format: 'openai-chat',
        stream: false,
        status: 200,
        startedAt: 0,
        endedAt: 1,
        usage: { input: 1_000, output: 10, webSearch: 2 },
        settle: 'usage',
        held: '1',
        charged: '20156000',
        unproven: false,
        priceVersion,
        priceRow,
        counters: [],
      },
    ],
  }).attempts;
  if (!attempt) throw new Error('no attempt');
  return attempt;
};
const NAME = { model: 'openai/gpt-4o-mini', source: 'ModelRoute n/r', date: '2026-11-21' };

describe('the row that priced an attempt', () => {
  it('is made from the rates that the event kept, so that a route’s own price is explained line by line', () => {
    const attempt = attemptAt({ ...NAME, rates: { input: '150000000', output: '600000000', webSearch: '10000000' } });
    const row = rowFinder()(attempt);
    expect(row).toMatchObject({ provider: 'openai', model: 'gpt-4o-mini', source: 'ModelRoute n/r' });
    expect(
      row && chargeLines(attempt.usage, row, attempt.charged)?.lines.map(({ kind, rate }) => [kind, rate]),
    ).toEqual([
      ['input', '$0.15 / 1M'],
      ['output', '$0.60 / 1M'],
      ['webSearch', '$0.01 each'],
    ]);
  });

  it('is the shipped one where the event kept no rates and names this table, and none where it names another', () => {
    const { version } = shippedPriceTable();
    expect(rowFinder()(attemptAt(NAME, version))).toMatchObject({ model: 'gpt-4o-mini' });
    expect(rowFinder()(attemptAt({ ...NAME, model: 'openai/none' }, version))).toBeNull();
    expect(rowFinder()(attemptAt({ ...NAME, rates: {} }, 'other'))).toBeNull();
    expect(rowFinder()(attemptAt(null))).toBeNull();
  });
});
