import { describe, expect, it } from '@jest/globals';
import { estimateAbandoned, estimateMissing, inputTokens, outputTokens } from '@tollgate/metering';
import fc from 'fast-check';

const bound = { inputTokens: 10_000, outputTokens: 4_096 };
const asked = { known: null, requestBytes: 3_000, deliveredBytes: 1_200, bound };

describe('an attempt without final figures', () => {
  it('is its input, what was delivered, and a margin', () => {
    expect(estimateAbandoned(asked)).toEqual({ input: 1_000, output: 400 + 20 + 16 });
    expect(estimateMissing(asked)).toEqual({ input: 1_000, output: 400 });
  });

  it('keeps what the provider said of the input, kind by kind', () => {
    const known = { input: 10, cachedInput: 500, cacheWrite5m: 20, output: 1 };
    expect(estimateAbandoned({ ...asked, known })).toEqual({
      input: 10,
      cachedInput: 500,
      cacheWrite5m: 20,
      output: 436,
    });
  });

  it('keeps reasoning apart, and counts it once', () => {
    const known = { input: 10, output: 100, reasoning: 600 };
    expect(estimateMissing({ ...asked, known })).toEqual({ input: 10, output: 100, reasoning: 600 });
  });

  it('prefers exact counts', () => {
    expect(estimateMissing({ ...asked, exactInputTokens: 712, exactOutputTokens: 301 })).toEqual({
      input: 712,
      output: 301,
    });
  });

  it('adds the images of the request', () => {
    expect(estimateMissing({ ...asked, imageTokens: 765 })).toMatchObject({ input: 1_765 });
  });

  it('is never nothing, and never more than was held', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(100_000), (requestBytes, deliveredBytes) => {
        for (const usage of [
          estimateAbandoned({ ...asked, requestBytes, deliveredBytes }),
          estimateMissing({ ...asked, requestBytes, deliveredBytes }),
        ]) {
          expect(inputTokens(usage)).toBeGreaterThan(0);
          expect(inputTokens(usage)).toBeLessThanOrEqual(bound.inputTokens);
          expect(outputTokens(usage)).toBeLessThanOrEqual(bound.outputTokens);
        }
      }),
    );
  });
});
