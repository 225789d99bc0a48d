import type { ModelInfo, ModelPrice, Provider } from '@pydantic/genai-prices';
import type { PriceRow, TokenRates } from '@tollgate/metering';
import { dearestOf } from '../dearest.ts';
import { AUDIO_RATES } from './audio-rates.ts';
import { isFree } from './free.ts';
import { pricesInForce } from './in-force.ts';
import { batchPermilleOf, maxOutputOf, windowOf } from './model-limits.ts';
import { readNames } from './names.ts';
import { readPrices } from './rates.ts';
import { AS_OF, SOURCE } from './source.ts';

/** A row and the day from which it holds; null = it holds on the day of the table. */
export interface DatedRow {
  readonly from: string | null;
  readonly row: PriceRow;
}

export interface Converted {
  readonly rows: readonly DatedRow[];
  readonly aliases: ReadonlyMap<string, string>;
  readonly skipped: readonly string[];
}

/** Everything the source says in our shape. Where two models claim one name, the first keeps it, as in the source. */
export const convert = (providers: readonly Provider[]): Converted => {
  const rows: DatedRow[] = [];
  const aliases = new Map<string, string>();
  const skipped: string[] = [];
  for (const provider of providers) {
    const makers = (provider.fallback_model_providers ?? []).flatMap((id) =>
      providers.filter((each) => each.id === id),
    );
    for (const maker of [provider, ...makers]) {
      for (const model of maker.models) {
        const dated = rowsOf(model, provider, maker);
        if (dated.length === 0) continue;
        const names = readNames(model, provider.id);
        const free = names.names.filter((name) => !aliases.has(`${provider.id}/${name}`));
        // A maker's model stands for the host only under names that the host does not price itself.
        if (free.length === 0 || rows.some(({ row }) => row.provider === provider.id && row.model === model.id))
          continue;
        for (const name of free) aliases.set(`${provider.id}/${name}`, model.id);
        rows.push(...dated);
        skipped.push(...names.skipped.map((clause) => `${provider.id}/${model.id}: ${clause}`));
      }
    }
  }
  return { rows, aliases, skipped };
};

const rowsOf = (model: ModelInfo, provider: Provider, maker: Provider): readonly DatedRow[] => {
  if (isFree(maker.id, model.id)) return [{ from: null, row: freeRow(model, provider) }];
  return pricesInForce(model, AS_OF).flatMap(({ from, choices }) => {
    const row = dearestChoice(choices, model, provider, maker);
    return row === null ? [] : [{ from, row }];
  });
};

const dearestChoice = (
  choices: readonly ModelPrice[],
  model: ModelInfo,
  provider: Provider,
  maker: Provider,
): PriceRow | null => {
  const rows = choices.flatMap((prices) => {
    const read = readPrices({ ...AUDIO_RATES[`${maker.id}/${model.id}`], ...prices }, maker, model.id);
    return read === null ? [] : [pricedRow(read, model, provider, maker)];
  });
  const [only] = rows;
  if (only === undefined || rows.length === 1) return only ?? null;
  const top = dearestOf(rows, { provider: provider.id, model: model.id, family: model.id });
  return top === null
    ? null
    : { ...only, tiers: top.tiers, units: top.units, source: `${only.source}; changes with the hour: the dearest` };
};

const pricedRow = (
  read: NonNullable<ReturnType<typeof readPrices>>,
  model: ModelInfo,
  provider: Provider,
  maker: Provider,
): PriceRow => {
  const batch = batchPermilleOf(provider.id);
  const notes =
    maker === provider ? read.notes : [`${maker.id}'s price, ${provider.id}'s own is not in the source`, ...read.notes];
  return {
    ...base(model, provider),
    free: false,
    tiers: read.tiers,
    units: read.units,
    ...(batch === undefined ? {} : { batchPermille: batch }),
    source: sourceOf(maker, notes),
  };
};

const freeRow = (model: ModelInfo, provider: Provider): PriceRow => ({
  ...base(model, provider),
  free: true,
  tiers: [{ aboveInputTokens: 0, rates: NOTHING }],
  units: {},
  source: sourceOf(provider, ['listed as free of charge']),
});

const base = (
  model: ModelInfo,
  provider: Provider,
): Pick<PriceRow, 'provider' | 'model' | 'contextWindow' | 'maxOutputTokens' | 'date'> => {
  const maxOutput = maxOutputOf(model.id);
  const contextWindow = windowOf(model.id, model.context_window);
  return {
    provider: provider.id,
    model: model.id,
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(maxOutput === undefined ? {} : { maxOutputTokens: maxOutput }),
    date: AS_OF,
  };
};

const sourceOf = (maker: Provider, notes: readonly string[]): string =>
  [`${SOURCE.name} ${SOURCE.version}`, ...(maker.pricing_urls ?? []).slice(0, 1), ...notes].join('; ');

const NOTHING: TokenRates = {
  input: 0n,
  cachedInput: 0n,
  cacheWrite5m: 0n,
  cacheWrite1h: 0n,
  audioInput: 0n,
  output: 0n,
  reasoning: 0n,
  audioOutput: 0n,
};
