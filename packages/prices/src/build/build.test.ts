import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { TieredPrices, calcPrice } from '@pydantic/genai-prices';
import type { Provider } from '@pydantic/genai-prices';
import { describe, expect, it } from '@jest/globals';
import type { Usage } from '@tollgate/metering';
import { LARGEST_CONTEXT_WINDOW, charge } from '@tollgate/metering';
import { PriceJumpRefused, buildPriceTable } from '@tollgate/prices/build';
import { shippedPriceTable } from '@tollgate/prices/data';
import fc from 'fast-check';
import { convert } from './convert.ts';
import { pricesInForce } from './in-force.ts';
import { nanoOf } from './nano.ts';
import { readNames } from './names.ts';
import { readPrices } from './rates.ts';
import { AS_OF, SOURCE, sourceProviders } from './source.ts';

const shipped = readFileSync(new URL('../table.json', import.meta.url), 'utf8');
const table = shippedPriceTable();

const aProvider = (given: Partial<Provider>): Provider => ({
  id: 'openai',
  name: '',
  api_pattern: '',
  models: [],
  ...given,
});

describe('a dollar figure of the source', () => {
  it.each([
    [0.01875, 9, 18_750_000n],
    [0.1, 9, 100_000_000n],
    [0.3, 9, 300_000_000n],
    [75, 9, 75_000_000_000n],
    [1e-7, 9, 100n],
    [1.5e-10, 9, 1n],
    [1e21, 9, 10n ** 30n],
    [0, 9, 0n],
    [10, 6, 10_000_000n],
  ])('%d with %i places is %s nano', (dollars, places, nano) => {
    expect(nanoOf(dollars, places)).toBe(nano);
  });

  it('is exact for every decimal that an author may write', () => {
    fc.assert(
      fc.property(fc.nat(99_999), fc.integer({ min: 0, max: 9 }), (digits, places) => {
        const text = `${digits}e-${places}`;
        expect(nanoOf(Number(text), 9)).toBe(BigInt(digits) * 10n ** BigInt(9 - places));
      }),
    );
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('%d is refused', (dollars) => {
    expect(() => nanoOf(dollars, 9)).toThrow(RangeError);
  });
});

describe('the shipped table', () => {
  it('is what the build makes of the pinned source', () => {
    const entry = createRequire(import.meta.url).resolve('@pydantic/genai-prices');
    const installed: { version: string } = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8'));
    expect(installed.version).toBe(SOURCE.version);
    const { text, skipped } = buildPriceTable();
    expect(text === shipped).toBe(true);
    expect(skipped).toEqual([]);
  });

  it('names a source and a date in every row', () => {
    for (const { rows } of [table.rowsFor(['openai', 'anthropic', 'google', 'azure', 'openrouter'])]) {
      for (const row of rows) {
        expect(row.source).toContain(SOURCE.name);
        expect(row.date).toBe(AS_OF);
      }
    }
  });

  it('has no context window above the one that is assumed where none is known', () => {
    const windows = table
      .rowsFor(['openai', 'google', 'aws', 'x-ai', 'openrouter'])
      .rows.map((row) => row.contextWindow ?? 0);
    expect(Math.max(...windows)).toBe(LARGEST_CONTEXT_WINDOW);
  });

  it('costs what the source itself calculates, within its floating error, for every priced model', () => {
    const asOf = new Date(`${AS_OF}T12:00:00Z`);
    let compared = 0;
    for (const provider of ['openai', 'anthropic', 'google', 'mistral', 'x-ai', 'groq', 'openrouter', 'cohere']) {
      for (const row of table.rowsFor([provider]).rows) {
        if (row.free || row.source.includes('dearest')) continue;
        for (const input of [1_000, 150_000, 272_001, 400_000]) {
          const usage: Usage = { input: input - 700, cachedInput: 700, output: 1_234 };
          const theirs = calcPrice({ input_tokens: input, cache_read_tokens: 700, output_tokens: 1_234 }, row.model, {
            providerId: provider,
            timestamp: asOf,
          });
          if (theirs === null || theirs.model.id !== row.model || 'requests_kcount' in theirs.model_price) continue;
          const ours = Number(charge(usage, row)) / 1e9;
          expect(Math.abs(ours - theirs.total_price)).toBeLessThanOrEqual(2e-9 + theirs.total_price * 1e-12);
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(2_000);
  });
});

describe('prices in force', () => {
  const model = (prices: Parameters<typeof pricesInForce>[0]['prices']) => ({
    id: 'm',
    match: { equals: 'm' },
    prices,
  });

  it('are those of the last start date that has come, and the announced ones beside them', () => {
    const dated = model([
      { prices: { input_mtok: 1 } },
      { constraint: { type: 'start_date', start_date: '2026-01-01' }, prices: { input_mtok: 2 } },
      { constraint: { type: 'start_date', start_date: '2027-01-01' }, prices: { input_mtok: 3 } },
    ]);
    expect(pricesInForce(dated, '2026-11-21')).toEqual([
      { from: null, choices: [{ input_mtok: 2 }] },
      { from: '2027-01-01', choices: [{ input_mtok: 3 }] },
    ]);
  });

  it('are all of a day where they change with the hour, and the dearest is taken', () => {
    const hourly = {
      ...model([
        { prices: { input_mtok: 2, output_mtok: 2 } },
        {
          constraint: { type: 'time_of_date', start_time: '00:30:00Z', end_time: '16:30:00Z' },
          prices: { input_mtok: 4, output_mtok: 1 },
        },
      ]),
      id: 'deepseek-night',
    };
    const { rows } = convert([aProvider({ id: 'deepseek', models: [hourly] })]);
    expect(rows[0]?.row.tiers[0]?.rates).toMatchObject({ input: 4_000_000_000n, output: 2_000_000_000n });
    expect(rows[0]?.row.source).toContain('changes with the hour: the dearest');
  });

  it('of DeepSeek are at least those of every hour', () => {
    for (const model of ['deepseek-chat', 'deepseek-v4-pro']) {
      const found = table.lookup('deepseek', model);
      for (let hour = 0; hour < 24; hour += 1) {
        const at = new Date(`${AS_OF}T${String(hour).padStart(2, '0')}:15:00Z`);
        const theirs = calcPrice({ input_tokens: 1000, output_tokens: 1000 }, model, {
          providerId: 'deepseek',
          timestamp: at,
        });
        const ours = found.kind === 'known' ? Number(charge({ input: 1000, output: 1000 }, found.row)) / 1e9 : 0;
        expect(ours).toBeGreaterThanOrEqual((theirs?.total_price ?? Infinity) - 1e-9);
      }
    }
  });
});

describe('the kinds of a row', () => {
  const openai = aProvider({});

  it('that the source leaves out cost what their plain kind costs', () => {
    const read = readPrices({ input_mtok: 1, output_mtok: 2 }, openai, 'gpt-x');
    expect(read?.tiers[0]?.rates).toMatchObject({
      cachedInput: 10n ** 9n,
      cacheWrite1h: 10n ** 9n,
      reasoning: 2n * 10n ** 9n,
      audioOutput: 2n * 10n ** 9n,
    });
  });

  it('follow the rule of Anthropic for cache writes of a Claude', () => {
    const read = readPrices({ input_mtok: 3, output_mtok: 15 }, aProvider({ id: 'aws' }), 'anthropic.claude-3-opus');
    expect(read?.tiers[0]?.rates).toMatchObject({ cacheWrite5m: 3_750_000_000n, cacheWrite1h: 6_000_000_000n });
  });

  it('change together at every threshold that one of them names', () => {
    const read = readPrices(
      {
        input_mtok: new TieredPrices({ base: 1, tiers: [{ start: 200_000, price: 2 }] }),
        output_mtok: new TieredPrices({ base: 3, tiers: [{ start: 100_000, price: 4 }] }),
      },
      openai,
      'gpt-x',
    );
    expect(
      read?.tiers.map(({ aboveInputTokens, rates }) => [
        aboveInputTokens,
        Number(rates.input) / 1e9,
        Number(rates.output) / 1e9,
      ]),
    ).toEqual([
      [0, 1, 3],
      [100_000, 1, 4],
      [200_000, 2, 4],
    ]);
  });

  it('are text at the dearest of text, image and video', () => {
    const read = readPrices(
      { input_mtok: 1, input_image_mtok: 5, output_mtok: 2, output_image_mtok: 30 },
      openai,
      'gpt-image-x',
    );
    expect(read?.tiers[0]?.rates).toMatchObject({ input: 5_000_000_000n, output: 30_000_000_000n });
    expect(read?.notes).toHaveLength(1);
  });

  it('are unknown where only hours or pages are priced, or output is left out of a model that writes', () => {
    expect(readPrices({ audio_hours: 1 }, openai, 'whisper-1')).toBeNull();
    expect(readPrices({ input_mtok: 1 }, openai, 'gpt-x')).toBeNull();
    expect(readPrices({ input_mtok: 1 }, openai, 'text-embedding-x')?.tiers[0]?.rates.output).toBe(0n);
  });

  it('include pieces', () => {
    expect(
      readPrices(
        {
          input_mtok: 1,
          output_mtok: 1,
          requests_kcount: 12,
          web_searches_kcount: new TieredPrices({ base: 5, tiers: [{ start: 1, price: 10 }] }),
        },
        openai,
        'sonar',
      )?.units,
    ).toEqual({ request: 12_000_000n, webSearch: 10_000_000n });
  });
});

describe('free', () => {
  it('is only what says so; an empty price is unknown', () => {
    const { rows } = convert([
      aProvider({
        id: 'openrouter',
        models: [
          { id: 'llama:free', match: { equals: 'llama:free' }, prices: {} },
          { id: 'mystery', match: { equals: 'mystery' }, prices: {} },
        ],
      }),
    ]);
    expect(rows.map(({ row }) => [row.model, row.free])).toEqual([['llama:free', true]]);
  });
});

describe('the names of a model', () => {
  const names = (match: Parameters<typeof readNames>[0]['match'], provider = 'openai') =>
    readNames({ id: 'ID', match, prices: {} }, provider);

  it.each([
    [{ equals: 'A-b' }, ['a-b', 'id']],
    [{ starts_with: 'claude-opus-4-2025' }, ['claude-opus-4', 'claude-opus-4-{version}', 'id']],
    [{ contains: 'claude-sonnet-4@' }, ['claude-sonnet-4', 'claude-sonnet-4-{version}', 'id']],
    [{ ends_with: 'gemini-2.0-flash-0' }, ['gemini-2.0-flash', 'gemini-2.0-flash-{version}', 'id']],
    [{ regex: '^gpt-5\\.6-sol-\\d{4}-\\d{2}-\\d{2}$' }, ['gpt-5.6-sol', 'gpt-5.6-sol-{version}', 'id']],
    [{ regex: '^gemini-3\\.5-flash-\\d' }, ['gemini-3.5-flash', 'gemini-3.5-flash-{version}', 'id']],
    [{ regex: '^grok-4\\.5\\[fast=true\\]$' }, ['grok-4.5[fast=true]', 'id']],
    [
      { and: [{ starts_with: 'gemini-2.5-pro' }, { regex: '^(?!.*-tts)' }] },
      ['gemini-2.5-pro', 'gemini-2.5-pro-{version}', 'id'],
    ],
    [{ or: [{ equals: 'x' }, { equals: 'y' }] }, ['x', 'y', 'id']],
    [{ starts_with: '-' }, ['id']],
  ])('%j are %j', (match, expected) => {
    expect(names(match)).toEqual({ names: expected, skipped: [] });
  });

  it('carry the vendor on Bedrock', () => {
    expect(names({ contains: 'claude-3-opus-20240229' }, 'aws').names).toContain(
      'anthropic.claude-3-opus-20240229-{version}',
    );
  });

  it.each(['^(a+)+$', 'gpt', '^gpt-(4|5)$', '^gpt-[45]$', '^gpt-\\w+$'])(
    'leave out what is no exact name: %s',
    (regex) => {
      expect(names({ regex })).toEqual({ names: ['id'], skipped: [regex] });
    },
  );

  it('belong to the first model that claims them', () => {
    const models = ['first', 'second'].map((id) => ({
      id,
      match: { equals: 'shared' },
      prices: { input_mtok: 1, output_mtok: 1 },
    }));
    expect(convert([aProvider({ models })]).aliases.get('openai/shared')).toBe('first');
  });
});

describe('a jump of prices', () => {
  /** The shipped text with one output rate changed wherever it stands. */
  const former = (from: string, to: string): string => shipped.replaceAll(`"output":"${from}"`, `"output":"${to}"`);

  it('cannot be told from what is no table', () => {
    expect(() => buildPriceTable({ former: '[]' })).toThrow('is no price table');
  });

  it('is not reported where nothing moved', () => {
    expect(buildPriceTable({ former: shipped }).jumps).toEqual([]);
  });

  it('of ten times is a warning', () => {
    const { jumps } = buildPriceTable({ former: former('75000000000', '7500000000') });
    expect(jumps.length).toBeGreaterThan(0);
    expect(jumps[0]).toMatchObject({
      kind: expect.stringMatching(/^output above \d+$/),
      from: '7500000000',
      to: '75000000000',
      refused: false,
    });
  });

  it('of more than ten times, up or down, needs a word', () => {
    for (const was of ['7499999999', '750000000001', '0']) {
      const text = former('75000000000', was);
      expect(() => buildPriceTable({ former: text })).toThrow(PriceJumpRefused);
      expect(buildPriceTable({ former: text, acceptPriceJumps: true }).jumps.every((jump) => jump.refused)).toBe(true);
    }
  });
});

describe('the source', () => {
  it('still has every provider that is taken over', () => {
    expect(sourceProviders().map(({ id }) => id)).toContain('openai');
  });
});
