import { describe, expect, it } from '@jest/globals';
import { checkSnapshot } from './snapshot-check.ts';
import type { Snapshot } from './snapshot.ts';

const SNAPSHOT: Snapshot = {
  contract: 1,
  version: 'abc',
  organisation: 'org',
  subject: { namespace: 'team-a', workload: 'chat', labels: { app: 'chat' }, team: 'team-a' },
  budgets: [
    {
      namespace: 'team-a',
      name: 'chat',
      enforcement: 'Hard',
      timeZone: 'Etc/UTC',
      preset: 'Standard',
      waitSeconds: 5,
      overdraft: { amount: '5', maxDurationSeconds: 60 },
      onInsufficient: 'Refuse',
      onUnpriced: { action: 'Price', inputPerMillion: '1', outputPerMillion: null },
      onUnboundable: { action: 'Ceiling', ceiling: null },
      onDisconnect: 'Drain',
      unresolvedPolicy: 'Charge',
      routes: ['cheap'],
      limits: [
        {
          name: 'daily',
          unit: 'cost',
          count: 'Total',
          max: '25000000000',
          period: 'Day',
          window: 'Calendar',
          models: ['gpt-*'],
          partitionBy: 'Budget',
        },
      ],
    },
  ],
  routes: [
    {
      namespace: 'team-a',
      name: 'cheap',
      rules: [
        {
          name: 'default',
          models: [],
          backends: [
            {
              name: 'openai',
              provider: 'OpenAI',
              baseUrl: 'https://api.openai.com/v1',
              credential: { name: 'openai', key: 'api-key' },
              model: null,
              weight: 1,
              priority: 0,
              price: {
                free: false,
                inputPerMillion: '1',
                cachedInputPerMillion: null,
                cacheWritePerMillion: null,
                outputPerMillion: '2',
              },
              priceProvider: 'openai',
            },
          ],
          fallback: { when: ['ServerError'], maxAttempts: 2 },
          timeouts: { requestMs: 600_000, firstByteMs: null },
        },
      ],
    },
  ],
  prices: {
    version: '2026-11-20',
    rows: [
      {
        provider: 'openai',
        model: 'gpt-4o',
        free: false,
        tiers: [{ aboveInputTokens: 0, rates: { input: '2500000000' } }],
        units: { request: '1' },
        contextWindow: 128_000,
        source: 'test',
        date: '2026-11-20',
      },
    ],
    aliases: { 'openai/gpt-4o-latest': 'gpt-4o' },
  },
};

/** A copy with the value at a path replaced (`undefined` removes it). */
const withValue = (path: readonly (string | number)[], value: unknown): unknown => {
  const copy: unknown = JSON.parse(JSON.stringify(SNAPSHOT));
  let node: unknown = copy;
  for (const step of path.slice(0, -1)) node = Reflect.get(Object(node), step);
  if (value === undefined) Reflect.deleteProperty(Object(node), path.at(-1) ?? '');
  else Reflect.set(Object(node), path.at(-1) ?? '', value);
  return copy;
};

describe('checkSnapshot', () => {
  it('hands on a sound snapshot as it is', () => {
    expect(checkSnapshot(SNAPSHOT)).toEqual({ ok: true, snapshot: SNAPSHOT });
  });

  it('lets by what a newer control plane adds, and misses nothing that may be absent', () => {
    expect(checkSnapshot(withValue(['budgets', 0, 'colour'], 'red')).ok).toBe(true);
    expect(checkSnapshot(withValue(['budgets', 0, 'routes'], undefined)).ok).toBe(true);
    expect(checkSnapshot(withValue(['prices', 'rows', 0, 'contextWindow'], undefined)).ok).toBe(true);
  });

  it.each<[string, readonly (string | number)[], unknown, string]>([
    ['contract', ['contract'], 2, 'contract'],
    ['a field that is missing', ['organisation'], undefined, 'organisation'],
    ['a label that is no string', ['subject', 'labels', 'app'], 1, 'subject.labels.app'],
    ['a list that is a map', ['budgets'], {}, 'budgets'],
    ['a map that is a list', ['subject', 'labels'], [], 'subject.labels'],
    ['an amount as a number', ['budgets', 0, 'limits', 0, 'max'], 25, 'budgets[0].limits[0].max'],
    ['a negative amount', ['budgets', 0, 'limits', 0, 'max'], '-1', 'budgets[0].limits[0].max'],
    ['an amount of 19 digits', ['budgets', 0, 'limits', 0, 'max'], '1'.repeat(19), 'budgets[0].limits[0].max'],
    ['an unknown period', ['budgets', 0, 'limits', 0, 'period'], 'Year', 'budgets[0].limits[0].period'],
    ['a fraction of a second', ['budgets', 0, 'waitSeconds'], 0.5, 'budgets[0].waitSeconds'],
    ['null where a value must be', ['budgets', 0, 'onUnpriced'], null, 'budgets[0].onUnpriced'],
    [
      'a base URL of another scheme',
      ['routes', 0, 'rules', 0, 'backends', 0, 'baseUrl'],
      'file:///etc',
      'routes[0].rules[0].backends[0].baseUrl',
    ],
    [
      'an unknown cause',
      ['routes', 0, 'rules', 0, 'fallback', 'when', 0],
      'Monday',
      'routes[0].rules[0].fallback.when[0]',
    ],
    ['free as text', ['prices', 'rows', 0, 'free'], 'yes', 'prices.rows[0].free'],
    [
      'a rate that is no integer',
      ['prices', 'rows', 0, 'tiers', 0, 'rates', 'input'],
      '1.5',
      'prices.rows[0].tiers[0].rates.input',
    ],
  ])('refuses %s, with its path', (_, path, value, expected) => {
    const result = checkSnapshot(withValue(path, value));
    expect(result.ok ? 'accepted' : result.fault.path).toBe(expected);
  });

  it('refuses a key that would become a prototype', () => {
    const text = JSON.stringify(SNAPSHOT).replace('"app":"chat"', '"__proto__":{"app":"chat"}');
    expect(checkSnapshot(JSON.parse(text))).toEqual({
      ok: false,
      fault: { path: 'subject.labels.__proto__', message: 'is not allowed' },
    });
  });

  it.each([null, undefined, 7, 'text', [], [SNAPSHOT]])('refuses what is no snapshot at all: %j', (value) => {
    expect(checkSnapshot(value).ok).toBe(false);
  });
});
