import type { ConditionalPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices';

export interface DatedPrices {
  /** Null = in force on the day of the table; else the day from which on. */
  readonly from: string | null;
  /** More than one: they change with the hour, and the dearest of each kind is taken. */
  readonly choices: readonly ModelPrice[];
}

/** The prices of a model on a day, and those that the source announces for later. The source's last match wins. */
export const pricesInForce = (model: ModelInfo, day: string): readonly DatedPrices[] => {
  if (!Array.isArray(model.prices)) return [{ from: null, choices: [model.prices] }];
  const later = new Set(model.prices.flatMap((each) => startOf(each) ?? []).filter((start) => start > day));
  return [null, ...[...later].toSorted()].map((from) => ({ from, choices: choicesOn(model.prices, from ?? day) }));
};

const choicesOn = (prices: ModelInfo['prices'], day: string): readonly ModelPrice[] => {
  if (!Array.isArray(prices)) return [prices];
  const hourly = prices.filter((each) => each.constraint?.type === 'time_of_date').map((each) => each.prices);
  const dated = prices.findLast((each) => {
    const start = startOf(each);
    return each.constraint === undefined || (start !== null && start <= day);
  });
  return [...(dated === undefined ? [] : [dated.prices]), ...hourly];
};

const startOf = (price: ConditionalPrice): string | null =>
  price.constraint?.type === 'start_date' ? price.constraint.start_date : null;
