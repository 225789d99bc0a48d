import { describe, expect, it } from '@jest/globals';
import { aBudget } from '../testing/a-budget.ts';
import { fingerprintOf, limitsInForce, scopeOf, termsAt } from './counter-terms.ts';
import { makeResourcesInForce } from './resources-in-force.ts';

const NOW = Date.UTC(2026, 10, 21, 12);

const termsOf = (limit: object, partition = '', spec: object = {}) => {
  const [inForce] = limitsInForce([
    aBudget({ ...spec, limits: [{ name: 'l', cost: { max: '1' }, period: 'Day', ...limit }] }),
  ]).values();
  if (!inForce) throw new Error('no limit');
  return {
    terms: termsAt(inForce, { budget: 'default/pool', limit: 'l', partition }, NOW),
    fingerprint: fingerprintOf(inForce),
    scope: scopeOf(inForce),
  };
};

describe('counter terms', () => {
  it('never let amounts of different meaning meet in one counter', () => {
    const ids = [
      termsOf({}),
      termsOf({ cost: undefined, tokens: { max: 5 } }),
      termsOf({ cost: undefined, tokens: { max: 5, count: 'Input' } }),
      termsOf({ cost: undefined, requests: { max: 5 } }),
      termsOf({ partitionBy: 'User' }, 'x'),
      termsOf({ partitionBy: 'Workload' }, 'x'),
      termsOf({ window: 'Sliding' }),
      termsOf({ period: 'Month' }),
      termsOf({}, '', { timeZone: 'Europe/Berlin' }),
    ];
    expect(new Set(ids.map(({ terms }) => terms?.window.id)).size).toBe(ids.length);
    expect(new Set(ids.map(({ fingerprint }) => fingerprint)).size).toBe(ids.length);
  });

  it('keep a counter when only the maximum, or the models, change', () => {
    const before = termsOf({});
    const after = termsOf({ cost: { max: '2' }, models: ['o3'] });
    expect(after.terms?.window.id).toBe(before.terms?.window.id);
    expect(after.fingerprint).toBe(before.fingerprint);
    expect(after.terms?.max).toBe(2_000_000_000n);
  });

  it('tell when other calls are counted, whatever the order of words', () => {
    const selector = { matchLabels: { a: '1', b: '2' } };
    const scopes = [
      termsOf({}),
      termsOf({ models: ['o3'] }),
      termsOf({}, '', { selector }),
      termsOf({}, '', { targetRefs: [{ group: 'apps', kind: 'Deployment', name: 'd' }] }),
    ].map(({ scope }) => scope);
    expect(new Set(scopes).size).toBe(scopes.length);
    expect(termsOf({ cost: { max: '2' } }).scope).toBe(scopes[0]);
    expect(termsOf({}, '', { selector: { matchLabels: { b: '2', a: '1' } } }).scope).toBe(scopes[2]);
  });

  it('know no partition of a whole, and no whole of partitions', () => {
    expect(termsOf({}, 'x').terms).toBeNull();
    expect(termsOf({ partitionBy: 'User' }, '').terms).toBeNull();
  });
});

describe('resources in force', () => {
  it('resolve what was put in force last, and seed nothing for what is gone', () => {
    const inForce = makeResourcesInForce({ clock: () => NOW, systemNamespace: 'system' });
    const name = { budget: 'default/pool', limit: 'daily', partition: '' };
    expect(inForce.resolve(name)).toBeNull();
    inForce.replace({ budgets: [aBudget()], routes: [] });
    const terms = inForce.resolve(name);
    expect(terms).toMatchObject({ max: 1_000_000_000n, unit: 'cost', sliding: null });
    expect(inForce.hasNew(inForce.definitions({ budgets: [aBudget()], routes: [] }))).toBe(false);
    inForce.replace({ budgets: [], routes: [] });
    expect(inForce.hasNew(inForce.definitions({ budgets: [aBudget()], routes: [] }))).toBe(true);
    expect(inForce.resolve(name)).toBeNull();
    const seed = inForce.seedFrom(() => Promise.resolve([]));
    const event = {
      attempt: 1,
      subject: { namespace: 'default', workload: 'w', labels: {}, team: 't' },
      user: null,
      modelAsked: 'm',
      modelSent: 'm',
      modelAnswered: null,
      usage: {},
      settle: 'usage',
      charged: 5n,
    } as const;
    expect(terms && seed.amountOf(terms, event)).toBe(0n);
    inForce.replace({ budgets: [aBudget()], routes: [] });
    expect(terms && seed.amountOf(terms, event)).toBe(5n);
    expect(terms && seed.amountOf(terms, { ...event, subject: { ...event.subject, namespace: 'other' } })).toBe(0n);
  });
});
