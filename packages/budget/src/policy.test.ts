import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mergePolicies, type MergedPolicy } from './policy.ts';

const LAX: MergedPolicy = {
  preset: 'Standard',
  waitSeconds: 60,
  overdraft: { amount: '5000', maxDurationSeconds: 600 },
  onInsufficient: 'Clamp',
  onUnpriced: { action: 'TokensOnly', inputPerMillion: null, outputPerMillion: null },
  onUnboundable: { action: 'Ceiling', ceiling: '100' },
  onDisconnect: 'Drain',
  unresolvedPolicy: 'Release',
};

const digits = fc.nat({ max: 10_000 }).map(String);

const policy: fc.Arbitrary<MergedPolicy> = fc.record({
  preset: fc.constantFrom('Standard', 'Strict'),
  waitSeconds: fc.nat({ max: 60 }),
  overdraft: fc.option(fc.record({ amount: digits, maxDurationSeconds: fc.integer({ min: 1, max: 86_400 }) })),
  onInsufficient: fc.constantFrom('Refuse', 'Clamp'),
  onUnpriced: fc.record({
    action: fc.constantFrom('Price', 'TokensOnly', 'Refuse'),
    inputPerMillion: fc.option(digits),
    outputPerMillion: fc.option(digits),
  }),
  onUnboundable: fc.record({ action: fc.constantFrom('Ceiling', 'Refuse'), ceiling: fc.option(digits) }),
  onDisconnect: fc.constantFrom('Drain', 'Cancel'),
  unresolvedPolicy: fc.constantFrom('Charge', 'Release'),
});

describe('mergePolicies', () => {
  it.each<[keyof MergedPolicy, Partial<MergedPolicy>]>([
    ['waitSeconds', { waitSeconds: 0 }],
    ['overdraft', { overdraft: null }],
    ['onInsufficient', { onInsufficient: 'Refuse' }],
    ['onUnpriced', { onUnpriced: { action: 'Price', inputPerMillion: '7', outputPerMillion: '9' } }],
    ['onUnpriced', { onUnpriced: { action: 'Refuse', inputPerMillion: null, outputPerMillion: null } }],
    ['onUnboundable', { onUnboundable: { action: 'Refuse', ceiling: '100' } }],
    ['onUnboundable', { onUnboundable: { action: 'Ceiling', ceiling: '101' } }],
    ['onUnboundable', { onUnboundable: { action: 'Ceiling', ceiling: null } }],
    ['onDisconnect', { onDisconnect: 'Cancel' }],
    ['unresolvedPolicy', { unresolvedPolicy: 'Charge' }],
  ])('takes the stricter %s, whichever budget states it: %j', (field, strict) => {
    const expected = { ...LAX, ...strict };
    expect(mergePolicies([LAX, expected])).toEqual(expected);
    expect(mergePolicies([expected, LAX])[field]).toEqual(expected[field]);
  });

  it('refuses under Strict what cannot be priced or bounded exactly', () => {
    const merged = mergePolicies([LAX, { ...LAX, preset: 'Strict' }]);
    expect([merged.preset, merged.onUnpriced.action, merged.onUnboundable.action]).toEqual([
      'Strict',
      'Refuse',
      'Refuse',
    ]);
  });

  it('takes the least of several overdrafts, in amount and in duration', () => {
    const other = { ...LAX, overdraft: { amount: '900', maxDurationSeconds: 900 } };
    expect(mergePolicies([LAX, other]).overdraft).toEqual({ amount: '900', maxDurationSeconds: 600 });
  });

  it('compares amounts as numbers, not as text', () => {
    const stating = (inputPerMillion: string): MergedPolicy => ({
      ...LAX,
      onUnpriced: { ...LAX.onUnpriced, inputPerMillion },
    });
    expect(mergePolicies([stating('9'), stating('10')]).onUnpriced.inputPerMillion).toBe('10');
  });

  it('depends neither on the order of the budgets nor on doubles', () => {
    fc.assert(
      fc.property(fc.array(policy, { minLength: 1, maxLength: 5 }), (budgets) => {
        const merged = mergePolicies(budgets);
        expect(mergePolicies([...budgets].reverse())).toEqual(merged);
        expect(mergePolicies([...budgets, ...budgets])).toEqual(merged);
        expect(mergePolicies([merged])).toEqual(merged);
      }),
    );
  });

  it('throws where there is nothing to merge', () => {
    expect(() => mergePolicies([])).toThrow(RangeError);
  });
});
