import { describe, expect, it } from '@jest/globals';
import type { BoundInput, Usage } from '@tollgate/metering';
import {
  LARGEST_CONTEXT_WINDOW,
  TOKENS_FOR_TOOLS,
  TOKENS_PER_CALL,
  TOKENS_PER_MESSAGE,
  bound,
  charge,
  imageTokens,
} from '@tollgate/metering';
import fc from 'fast-check';
import { aRow, anyRow, someRates } from './testing/price-rows.ts';

const aCall = (given: Partial<BoundInput> = {}): BoundInput => ({
  bytes: 1000,
  imageBytes: 0,
  ascii: true,
  messages: 1,
  tools: 0,
  images: [],
  outputCap: 100,
  choices: 1,
  contextWindow: null,
  unboundable: false,
  format: 'openai-chat',
  cacheWrite: null,
  priced: aRow(),
  ...given,
});

const anyCall: fc.Arbitrary<BoundInput> = fc.record({
  bytes: fc.integer({ min: 2, max: 400_000 }),
  imageBytes: fc.constant(0),
  ascii: fc.boolean(),
  messages: fc.nat(50),
  tools: fc.nat(3),
  images: fc.constant([]),
  outputCap: fc.nat(130_000),
  choices: fc.integer({ min: 1, max: 8 }),
  contextWindow: fc.option(fc.integer({ min: 1000, max: 1_100_000 })),
  unboundable: fc.boolean(),
  format: fc.constantFrom('openai-chat', 'openai-responses', 'anthropic-messages', 'gemini-generate'),
  cacheWrite: fc.constantFrom(null, '5m' as const, '1h' as const),
  serviceTier: fc.constantFrom(null, 'auto', 'priority'),
  priced: anyRow,
});

/** Splits a number into kinds by given shares: every usage within a bound, and the bound itself, can come out. */
const share = (total: number, parts: readonly number[]): number[] => {
  const sum = parts.reduce((a, b) => a + b, 0) || 1;
  const counts = parts.map((part) => Math.floor((total * part) / sum));
  const first = counts[0] ?? 0;
  return [first + total - counts.reduce((a, b) => a + b, 0), ...counts.slice(1)];
};

describe('the bound of a call', () => {
  it('is at least the charge of every usage within it', () => {
    const anyShares = fc.array(fc.nat(10), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(
        anyCall,
        anyShares,
        anyShares,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (call, inShares, outShares, part) => {
          const most = bound(call);
          const [input = 0, cachedInput = 0, write = 0, hourWrite = 0, audio = 0] = share(
            Math.floor(most.inputTokens * part),
            inShares,
          );
          const [output = 0, reasoning = 0, audioOutput = 0] = share(
            Math.floor(most.outputTokens * part),
            outShares.slice(0, 3),
          );
          const mayWrite = call.cacheWrite !== null || call.format !== 'anthropic-messages';
          const usage: Usage = {
            input:
              input +
              (mayWrite ? 0 : write) +
              (call.cacheWrite === '1h' ? 0 : hourWrite) +
              (call.unboundable ? 0 : audio),
            cachedInput,
            cacheWrite5m: mayWrite ? write : 0,
            cacheWrite1h: call.cacheWrite === '1h' ? hourWrite : 0,
            audioInput: call.unboundable ? audio : 0,
            output,
            reasoning,
            audioOutput,
          };
          expect(charge(usage, call.priced, { serviceTier: call.serviceTier ?? null }) <= most.cost).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('grows with the body and with the cap', () => {
    fc.assert(
      fc.property(anyCall, fc.nat(1000), fc.nat(1000), (call, bytes, cap) => {
        const larger = bound({ ...call, bytes: call.bytes + bytes, outputCap: call.outputCap + cap });
        expect(larger.cost >= bound(call).cost).toBe(true);
      }),
    );
  });

  it('counts a byte as a token, and what a template may add', () => {
    expect(bound(aCall()).inputTokens).toBe(1000 + TOKENS_PER_MESSAGE + TOKENS_PER_CALL);
    expect(bound(aCall({ tools: 3 })).inputTokens).toBe(1000 + TOKENS_PER_MESSAGE + TOKENS_PER_CALL + TOKENS_FOR_TOOLS);
  });

  it('takes the bytes after NFKC for text beyond ASCII, and eleven times the bytes where they were not measured', () => {
    const fixed = TOKENS_PER_MESSAGE + TOKENS_PER_CALL;
    expect(bound(aCall({ ascii: false, nfkcBytes: 1500 })).inputTokens).toBe(1500 + fixed);
    expect(bound(aCall({ ascii: false, nfkcBytes: 900 })).inputTokens).toBe(1000 + fixed);
    expect(bound(aCall({ ascii: false })).inputTokens).toBe(11_000 + fixed);
    expect(bound(aCall({ ascii: true, nfkcBytes: 9_000 })).inputTokens).toBe(1000 + fixed);
    expect(bound(aCall({ bytes: 400_000, imageBytes: 399_000, ascii: false, nfkcBytes: 400_500 })).inputTokens).toBe(
      1500 + fixed,
    );
  });

  it('never exceeds the context window', () => {
    expect(bound(aCall({ bytes: 5_000_000, contextWindow: 200_000 })).inputTokens).toBe(200_000);
  });

  it('has a context window for each input of a list', () => {
    const embeddings = aCall({ format: 'openai-embeddings', bytes: 900_000, messages: 100, contextWindow: 8_192 });
    expect(bound(embeddings).inputTokens).toBe(819_200);
    expect(bound({ ...embeddings, bytes: 400_000 }).inputTokens).toBe(
      400_000 + 100 * TOKENS_PER_MESSAGE + TOKENS_PER_CALL,
    );
    expect(bound({ ...embeddings, format: 'openai-completions', outputCap: 10 })).toMatchObject({
      inputTokens: 819_200,
      outputTokens: 1_000,
    });
    expect(bound({ ...embeddings, messages: 0 }).inputTokens).toBe(8_192);
  });

  it('takes the context window for what the body does not bound, and says that this is no proof', () => {
    expect(bound(aCall({ unboundable: true, contextWindow: 200_000 }))).toMatchObject({
      inputTokens: 200_000,
      proven: false,
    });
    expect(bound(aCall({ unboundable: true }))).toMatchObject({ inputTokens: LARGEST_CONTEXT_WINDOW, proven: false });
    expect(bound(aCall()).proven).toBe(true);
  });

  it('bounds images by their dimensions, not by their bytes', () => {
    const image = { width: 512, height: 512, detail: null };
    const call = aCall({ bytes: 400_000, imageBytes: 399_000, images: [image] });
    expect(bound(call).inputTokens).toBe(
      1000 + TOKENS_PER_MESSAGE + TOKENS_PER_CALL + imageTokens('openai-chat', 'claude-test', image),
    );
  });

  it('takes an exact count for the text, never for the template', () => {
    expect(bound(aCall({ exactTextTokens: 200 })).inputTokens).toBe(200 + TOKENS_PER_MESSAGE + TOKENS_PER_CALL);
  });

  it('counts an answer a choice, and for completions a prompt', () => {
    expect(bound(aCall({ choices: 3 })).outputTokens).toBe(300);
    expect(bound(aCall({ format: 'openai-completions', messages: 4, choices: 2 })).outputTokens).toBe(800);
    expect(bound(aCall({ format: 'openai-embeddings' })).outputTokens).toBe(0);
  });

  it('looks at every tier that the input can reach, and at no other', () => {
    const dear = someRates({ input: 6_000_000_000n, output: 22_500_000_000n });
    const priced = aRow({
      tiers: [
        { aboveInputTokens: 0, rates: someRates() },
        { aboveInputTokens: 2000, rates: dear },
      ],
    });
    const fixed = BigInt(TOKENS_PER_MESSAGE + TOKENS_PER_CALL);
    expect(bound(aCall({ priced, format: 'anthropic-messages' })).cost).toBe((1000n + fixed) * 3000n + 100n * 15_000n);
    expect(bound(aCall({ priced, bytes: 2000, format: 'anthropic-messages' })).cost).toBe(
      (2000n + fixed) * 6000n + 100n * 22_500n,
    );
  });

  it('adds a flat fee, and nothing for a free model', () => {
    const fee = bound(aCall({ priced: aRow({ units: { request: 12_000_000n } }) })).cost - bound(aCall()).cost;
    expect(fee).toBe(12_000_000n);
    expect(bound(aCall({ priced: aRow({ free: true, tiers: [] }) })).cost).toBe(0n);
  });
});
