import { describe, expect, it } from '@jest/globals';
import { fromSnapshotRow, makePriceTable, toSnapshotRow } from '@tollgate/prices/table';
import { priceFile, shippedPriceTable, tableOn } from '@tollgate/prices/data';
import fc from 'fast-check';

const table = shippedPriceTable();

const modelOf = (provider: string, name: string): string | null => {
  const found = table.lookup(provider, name);
  return found.kind === 'known' ? found.row.model : null;
};

describe('a lookup', () => {
  it.each([
    ['openai', 'gpt-4o', 'gpt-4o'],
    ['openai', 'gpt-4o-2024-08-06', 'gpt-4o'],
    ['openai', 'gpt-4o-2024-05-13', 'gpt-4o-2024-05-13'],
    ['openai', 'GPT-4o', 'gpt-4o'],
    ['openai', 'gpt-5-nano-2025-08-07', 'gpt-5-nano'],
    ['openai', 'gpt-6-sol-2026-10-01', 'gpt-6-sol'],
    ['openai', 'ft:gpt-4o-2024-08-06:acme::abc', 'ft:gpt-4o'],
    ['openai', 'ft:gpt-4o-mini-2024-07-18:acme::abc', 'ft:gpt-4o-mini'],
    ['openai', 'text-embedding-3-small', 'text-embedding-3-small'],
    ['anthropic', 'claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
    ['anthropic', 'claude-opus-4-20250514', 'claude-opus-4-0'],
    ['anthropic', 'claude-opus-5', 'claude-opus-5'],
    ['google', 'models/gemini-2.5-pro', 'gemini-2.5-pro'],
    ['google', 'publishers/google/models/gemini-2.5-pro', 'gemini-2.5-pro'],
    ['google', 'gemini-2.0-flash-001', 'gemini-2.0-flash'],
    ['google', 'gemini-2.5-pro-preview-05-06', 'gemini-2.5-pro'],
    ['google', 'claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
    ['azure', 'gpt-35-turbo', 'gpt-3.5-turbo'],
    ['aws', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'regional.anthropic.claude-sonnet-4-5-20250929-v1:0'],
    ['aws', 'global.anthropic.claude-sonnet-4-5-20250929-v1:0', 'global.anthropic.claude-sonnet-4-5-20250929-v1:0'],
    ['groq', 'openai/gpt-oss-20b', 'openai/gpt-oss-20b'],
  ])('%s %s is priced as %s', (provider, name, model) => {
    expect(modelOf(provider, name)).toBe(model);
  });

  it.each([
    ['openai', ''],
    ['openai', 'gpt-4\n'],
    ['openai', ' gpt-4o'],
    ['openai', 'gpt-4o '],
    ['openai', 'gpt-4о'],
    ['openai', '\u212Bgpt-4o'],
    ['openai', 'gpt‑4o'],
    ['openai', 'gpt-4o-2027-01-01'],
    ['openai', 'gpt-4o-ultra'],
    ['openai', 'gpt-4'.repeat(2000)],
    ['openai', '__proto__'],
    ['openai', 'constructor'],
    ['anthropic', 'claude-sonnet-4-5-turbo'],
    ['anthropic', 'claude-opus-5-9'],
    ['anthropic', 'claude-sonnet-5-5'],
    ['anthropic', 'claude-3-opus-latest-max'],
    ['google', 'gemini-2.5-pro-ultra'],
    ['google', 'gemini-2.5-pro-001-ultra'],
    ['openai-compatible', 'llama3'],
    ['nobody', 'gpt-4o'],
    ['openai/gpt-4o', ''],
  ])('%s %j is unknown', (provider, name) => {
    expect(table.lookup(provider, name)).toEqual({ kind: 'unknown', model: name });
  });

  it('knows no model by a name with one more or one other letter', () => {
    const names = Object.keys(priceFile.aliases).filter((alias) => alias.startsWith('openai/') && !alias.includes('{'));
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.nat(30),
        fc.constantFrom('х', 'ο', '\u0301', '\u200b', '٣', 'K'),
        (alias, at, odd) => {
          const name = alias.slice('openai/'.length);
          const cut = at % (name.length + 1);
          expect(modelOf('openai', name.slice(0, cut) + odd + name.slice(cut))).toBeNull();
          expect(modelOf('openai', name.slice(0, cut) + odd + name.slice(cut + 1))).toBeNull();
        },
      ),
    );
  });

  it('takes no longer for a name made to be slow', () => {
    const slow = ['-20'.repeat(80), '-2025-'.repeat(40), '@20'.repeat(80), `claude-${'-v1'.repeat(80)}`];
    for (const name of slow)
      for (const provider of ['openai', 'google', 'aws']) expect(modelOf(provider, name)).toBeNull();
  });

  it('names the version of the table', () => {
    expect(table.lookup('openai', 'gpt-4o')).toMatchObject({ kind: 'known', version: table.version });
    expect(table.version).toMatch(/^\d{4}-\d\d-\d\d-[0-9a-f]{12}$/);
  });
});

describe('the dearest of a family', () => {
  it.each([
    ['openai', 'gpt-7'],
    ['anthropic', 'claude-next'],
    ['google', 'models/gemini-9'],
    ['aws', 'us.anthropic.claude-next-v1:0'],
    ['openrouter', 'anthropic/claude-next'],
  ])('%s %s is at least as dear as every model of that family', (provider, model) => {
    const dearest = table.dearestOfFamily(provider, model);
    const family = /(gpt|claude|gemini)/.exec(model)?.[1] ?? '';
    const kin = table
      .rowsFor([provider])
      .rows.filter((row) => !row.free && new RegExp(`(^|[./])${family}`).test(row.model));
    expect(kin.length).toBeGreaterThan(5);
    for (const tier of kin.flatMap((row) => row.tiers)) {
      for (const kind of ['input', 'cacheWrite1h', 'audioInput', 'output', 'reasoning', 'audioOutput'] as const) {
        expect(dearest?.tiers[0]?.rates[kind]).toBeGreaterThanOrEqual(tier.rates[kind]);
      }
    }
    expect(dearest).toMatchObject({ provider, model, free: false });
  });

  it.each([
    ['openai', 'mystery'],
    ['openai', 'gpt-4о'],
    ['openai', '42'],
    ['nobody', 'gpt-4o'],
  ])('there is none for %s %s', (provider, model) => {
    expect(table.dearestOfFamily(provider, model)).toBeNull();
  });
});

describe('a selection for a snapshot', () => {
  it('prices what the whole table prices, and nothing of other providers', () => {
    const { rows, aliases } = table.rowsFor(['anthropic']);
    const small = makePriceTable({ version: table.version, rows: rows.map(toSnapshotRow), aliases });
    expect(small.lookup('anthropic', 'claude-sonnet-4-5-20250929')).toEqual(
      table.lookup('anthropic', 'claude-sonnet-4-5-20250929'),
    );
    expect(small.lookup('openai', 'gpt-4o').kind).toBe('unknown');
    expect(Object.keys(aliases).every((alias) => alias.startsWith('anthropic/'))).toBe(true);
  });
});

describe('a row as JSON', () => {
  it('reads back as it was', () => {
    for (const row of table.rowsFor(['openai', 'perplexity']).rows) {
      expect(fromSnapshotRow(JSON.parse(JSON.stringify(toSnapshotRow(row))))).toEqual(row);
    }
  });

  it.each([{ input: '1.5' }, { input: '-1' }, { output: '' }])('is refused with %j', (rates) => {
    const [row] = table.rowsFor(['openai']).rows;
    const json = row === undefined ? undefined : toSnapshotRow(row);
    const broken = { ...json, tiers: [{ aboveInputTokens: 0, rates: { ...json?.tiers[0]?.rates, ...rates } }] };
    expect(() =>
      fromSnapshotRow({ provider: 'p', model: 'm', free: false, units: {}, source: '', date: '', ...broken }),
    ).toThrow(/not a decimal integer/);
  });

  it('is refused without a tier', () => {
    expect(() =>
      fromSnapshotRow({ provider: 'p', model: 'm', free: false, tiers: [], units: {}, source: '', date: '' }),
    ).toThrow('price of p/m: no tiers');
  });
});

describe('the table of a later day', () => {
  it('has the announced prices from their day on, under a version of its own', () => {
    const before = makePriceTable(tableOn(priceFile, '2026-12-31'));
    const after = makePriceTable(tableOn(priceFile, '2027-01-01'));
    const input = (which: typeof table): bigint | undefined => {
      const found = which.lookup('google', 'gemini-3.6-flash');
      return found.kind === 'known' ? found.row.tiers[0]?.rates.input : undefined;
    };
    expect(input(before)).toBe(750_000_000n);
    expect(input(after)).toBe(1_500_000_000n);
    expect(before.version).toBe(table.version);
    expect(after.version).toBe(`${table.version}+2027-01-01`);
  });
});
