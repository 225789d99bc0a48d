import { inputTokens, outputTokens } from '@tollgate/metering';
import type { LedgerEvent } from '@tollgate/ledger';

/** What a row of a roll-up gains from a batch, added up here: a batch of hundreds of events touches few rows. */
export interface Gain {
  charged: bigint;
  calls: bigint;
  input_tokens: bigint;
  output_tokens: bigint;
  would_refuse: bigint;
  unproven: bigint;
  estimated: bigint;
}

export interface Gains<Key extends object> {
  add(key: Key, event: LedgerEvent, charged: bigint, wouldRefuse?: boolean): void;
  /** Each key with its sums as text, for a statement to read by column name. */
  rows(): readonly (Key & Readonly<Record<keyof Gain, string>>)[];
}

export const makeGains = <Key extends object>(): Gains<Key> => {
  const found = new Map<string, { readonly key: Key; readonly gain: Gain }>();
  return {
    add: (key, event, charged, wouldRefuse = false) => {
      const name = JSON.stringify(key);
      let entry = found.get(name);
      if (!entry) found.set(name, (entry = { key, gain: { ...NOTHING } }));
      const { gain } = entry;
      gain.charged += charged;
      gain.calls += 1n;
      gain.input_tokens += BigInt(inputTokens(event.usage));
      gain.output_tokens += BigInt(outputTokens(event.usage));
      if (wouldRefuse) gain.would_refuse += 1n;
      if (event.unproven) gain.unproven += 1n;
      if (event.settle === 'estimated') gain.estimated += 1n;
    },
    rows: () => [...found.values()].map(({ key, gain }) => ({ ...key, ...asText(gain) })),
  };
};

const NOTHING: Gain = {
  charged: 0n,
  calls: 0n,
  input_tokens: 0n,
  output_tokens: 0n,
  would_refuse: 0n,
  unproven: 0n,
  estimated: 0n,
};

const asText = (gain: Gain): Readonly<Record<keyof Gain, string>> => ({
  charged: String(gain.charged),
  calls: String(gain.calls),
  input_tokens: String(gain.input_tokens),
  output_tokens: String(gain.output_tokens),
  would_refuse: String(gain.would_refuse),
  unproven: String(gain.unproven),
  estimated: String(gain.estimated),
});

/** The model that a report names: what was sent, since an answer often names a dated version of it. */
export const modelOf = (event: Pick<LedgerEvent, 'modelAnswered' | 'modelSent' | 'modelAsked'>): string =>
  event.modelSent ?? event.modelAsked ?? event.modelAnswered ?? '';
