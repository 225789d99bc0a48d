import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideBlock } from './block-decision.ts';

describe('decideBlock', () => {
  const rows: readonly [string, { max: bigint; out: bigint; spent: bigint; need: bigint; short: bigint }, unknown][] = [
    ['takes 2 % of a fresh limit', { max: 10_000n, out: 0n, spent: 0n, need: 1n, short: 1n }, 200n],
    [
      'takes an eighth of what remains near the end',
      { max: 10_000n, out: 9_200n, spent: 0n, need: 1n, short: 1n },
      100n,
    ],
    [
      'takes 0.1 % at the tail, and then what is left',
      { max: 10_000n, out: 9_995n, spent: 0n, need: 1n, short: 1n },
      5n,
    ],
    ['takes the need where it is more', { max: 10_000n, out: 0n, spent: 0n, need: 9_000n, short: 9_000n }, 9_000n],
    ['brings at least what the pool lacks', { max: 100n, out: 90n, spent: 0n, need: 60n, short: 10n }, 10n],
    ['never fits what is more than the limit', { max: 100n, out: 0n, spent: 0n, need: 101n, short: 1n }, 'neverFits'],
    [
      'is exhausted where what is spent leaves too little',
      { max: 100n, out: 100n, spent: 91n, need: 10n, short: 10n },
      'exhausted',
    ],
    ['is held where others have it', { max: 100n, out: 95n, spent: 90n, need: 10n, short: 10n }, 'held'],
    [
      'is exhausted when the limit was lowered below what is out',
      { max: 10n, out: 50n, spent: 50n, need: 1n, short: 1n },
      'exhausted',
    ],
  ];
  it.each(rows)('%s', (_name, question, expected) => {
    const decision = decideBlock(question);
    expect(decision.fits ? decision.amount : decision.reason).toBe(expected);
  });

  it('never brings more than remains, nor less than is short', () => {
    const amount = fc.bigInt(0n, 10n ** 15n);
    fc.assert(
      fc.property(amount, amount, amount, amount, amount, (max, out, spent, need, short) => {
        fc.pre(short <= need && spent <= out);
        const decision = decideBlock({ max, out, spent, need, short });
        if (decision.fits) {
          expect(out + decision.amount <= max).toBe(true);
          expect(decision.amount >= short).toBe(true);
        }
      }),
    );
  });
});
