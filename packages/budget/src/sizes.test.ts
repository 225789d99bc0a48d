import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { blockSize } from './block-size.ts';
import { grantedLease, preferredLease } from './lease-size.ts';
import { defaultOutputCap } from './output-cap.ts';

const amount = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n });
const positive = fc.bigInt({ min: 1n, max: 2n ** 53n - 1n });

describe('defaultOutputCap', () => {
  it.each([
    ['the maximum of the model', { maxOutputTokens: 16_384, contextWindow: 128_000, payable: null }, 16_384],
    ['half the context window', { maxOutputTokens: 100_000, contextWindow: 128_000, payable: null }, 64_000],
    [
      'half the context window, the maximum unknown',
      { maxOutputTokens: null, contextWindow: 32_000, payable: null },
      16_000,
    ],
    ['a tenth of what is payable', { maxOutputTokens: 16_384, contextWindow: 128_000, payable: 50_000n }, 5000],
    ['4,096, though a tenth pays less', { maxOutputTokens: 16_384, contextWindow: 128_000, payable: 10n }, 4096],
    ['a small model before 4,096', { maxOutputTokens: 1024, contextWindow: 128_000, payable: 10n }, 1024],
    ['4,096 of a model that nobody knows', { maxOutputTokens: null, contextWindow: null, payable: 10n ** 15n }, 4096],
    ['at least one token', { maxOutputTokens: 0, contextWindow: 1, payable: 0n }, 1],
  ])('is %s', (_, input, expected) => {
    expect(defaultOutputCap(input)).toBe(expected);
  });
});

describe('preferredLease', () => {
  it('is twice the usual hold, a two-thousandth of the limit, or the need, whichever is most', () => {
    expect(preferredLease({ need: 5n, p95Hold: 40n, limit: 100_000n })).toBe(80n);
    expect(preferredLease({ need: 5n, p95Hold: 1n, limit: 100_000n })).toBe(50n);
    expect(preferredLease({ need: 500n, p95Hold: 1n, limit: 100_000n })).toBe(500n);
  });
});

describe('grantedLease', () => {
  it('gives the wish only within a share of half the pool', () => {
    expect(grantedLease({ need: 5n, prefer: 80n }, { pool: 1000n, liveProxies: 2 })).toBe(80n);
    expect(grantedLease({ need: 5n, prefer: 80n }, { pool: 100n, liveProxies: 2 })).toBe(25n);
    expect(grantedLease({ need: 5n, prefer: 80n }, { pool: 1000n, liveProxies: 0 })).toBe(80n);
  });

  it('gives the need alone from a pool that is nearly empty, and nothing from one that lacks it', () => {
    expect(grantedLease({ need: 5n, prefer: 80n }, { pool: 5n, liveProxies: 9 })).toBe(5n);
    expect(grantedLease({ need: 5n, prefer: 80n }, { pool: 4n, liveProxies: 9 })).toBe(0n);
  });

  it('never gives more than the pool has, nor less than the need if anything', () => {
    fc.assert(
      fc.property(positive, amount, amount, fc.nat({ max: 500 }), (need, more, pool, liveProxies) => {
        const granted = grantedLease({ need, prefer: need + more }, { pool, liveProxies });
        expect(granted <= pool).toBe(true);
        expect(granted === 0n || granted >= need).toBe(true);
        expect(granted <= need + more).toBe(true);
      }),
    );
  });
});

describe('blockSize', () => {
  it.each([
    ['an eighth of what remains', { need: 1n, remaining: 800n, limit: 100_000n, minimum: 10n }, 100n],
    ['at most 2 % of the limit', { need: 1n, remaining: 100_000n, limit: 100_000n, minimum: 10n }, 2000n],
    ['at least the minimum', { need: 1n, remaining: 50n, limit: 100_000n, minimum: 10n }, 10n],
    ['the minimum before 2 % of a small limit', { need: 1n, remaining: 100n, limit: 100n, minimum: 10n }, 10n],
    ['the need of a large call', { need: 9000n, remaining: 100_000n, limit: 100_000n, minimum: 10n }, 9000n],
    ['what remains', { need: 9000n, remaining: 7n, limit: 100_000n, minimum: 10n }, 7n],
    ['nothing where nothing remains', { need: 1n, remaining: 0n, limit: 100n, minimum: 10n }, 0n],
    [
      'nothing where a limit was lowered below what is out',
      { need: 1n, remaining: -5n, limit: 100n, minimum: 10n },
      0n,
    ],
  ])('is %s', (_, wish, expected) => {
    expect(blockSize(wish)).toBe(expected);
  });

  it('covers the need whenever so much remains, and never more than remains', () => {
    fc.assert(
      fc.property(positive, amount, positive, amount, (need, remaining, limit, minimum) => {
        const size = blockSize({ need, remaining, limit, minimum });
        expect(size <= remaining).toBe(true);
        expect(size >= need).toBe(remaining >= need);
      }),
    );
  });
});
