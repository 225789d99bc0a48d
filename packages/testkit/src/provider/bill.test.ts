import { expect, it } from '@jest/globals';
import { billedNano, toLogLine, totalBilled } from './bill.ts';
import { allInput, allOutput, NO_USAGE } from './mock-usage.ts';

const price = { input: 2_500_000_000n, cachedInput: 1_250_000_000n, output: 10_000_000_000n };

it.each([
  ['plain input and output', { input: 1_000_000, output: 500_000 }, price, 7_500_000_000n],
  ['a fraction of a nano-dollar, rounded upwards once', { input: 1, output: 1 }, { input: 1n, output: 1n }, 1n],
  ['nothing', {}, price, 0n],
  ['cached input at its own rate', { input: 10, cachedInput: 10 }, price, 37_500n],
  ['cached input at the plain rate where none is stated', { cachedInput: 10 }, { input: 1_000_000n, output: 0n }, 10n],
  [
    'cache writes by lifetime',
    { cacheWrite5m: 2, cacheWrite1h: 3 },
    { ...price, cacheWrite5m: 1_000_000n, cacheWrite1h: 2_000_000n },
    8n,
  ],
  ['reasoning as output', { reasoning: 4 }, price, 40_000n],
  [
    'sound at its own rates',
    { audioInput: 1, audioOutput: 1 },
    { ...price, audioInput: 1_000_000n, audioOutput: 2_000_000n },
    3n,
  ],
  ['a fee per call', {}, { ...price, request: 7n }, 7n],
])('bills %s', (_name, usage, rates, nano) => {
  expect(billedNano({ ...NO_USAGE, ...usage }, rates)).toBe(nano);
});

it('takes the rates of the highest tier that the input exceeds, for the whole call', () => {
  const tiered = {
    input: 1_000_000n,
    output: 1_000_000n,
    tiers: [
      { aboveInputTokens: 200, rates: { input: 3_000_000n, output: 3_000_000n } },
      { aboveInputTokens: 100, rates: { input: 2_000_000n, output: 2_000_000n } },
    ],
  };
  const bill = (input: number): bigint => billedNano({ ...NO_USAGE, input, output: 1 }, tiered);
  expect([bill(100), bill(101), bill(200), bill(201)]).toEqual([101n, 204n, 402n, 606n]);
});

it('sums what has a price, and writes amounts as decimal strings', () => {
  const call = {
    id: 1,
    at: 0,
    method: 'POST',
    path: '/v1/x',
    model: 'm',
    answeredModel: 'm',
    stream: false,
    status: 200,
    usage: { ...NO_USAGE, input: 2, cachedInput: 1, output: 3, reasoning: 4 },
    receivedHeaders: [],
    requestBytes: 0,
    requestSha256: '',
    responseBytes: 0,
    responseSha256: '',
    aborted: false,
    deliveredTokens: 0,
  };
  expect(totalBilled([call, { ...call, billedNano: 9_007_199_254_740_993n }])).toBe(9_007_199_254_740_993n);
  expect(toLogLine({ ...call, billedNano: 9_007_199_254_740_993n })).toContain('"billedNano":"9007199254740993"');
  expect([allInput(call.usage), allOutput(call.usage)]).toEqual([3, 7]);
});
