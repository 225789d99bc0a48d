import { readFileSync, readdirSync } from 'node:fs';
import type { Usage } from '@tollgate/metering';
import type { PriceRowJson } from '@tollgate/prices';
import type { FormatId } from '@tollgate/providers';

/** One billed answer of the golden corpus, as its file has it. `recompute.py` reads the same files on its own. */
export interface BillingRow {
  readonly id: string;
  /** The rows of one twin are one call told twice, as JSON and as a stream: they cost the same. */
  readonly twin: string;
  readonly format: FormatId;
  readonly provider: string;
  /** As the answer names it. */
  readonly model: string;
  /** Where the provider documents the usage object. */
  readonly usageSource: string;
  /** `shipped`: the figures are those of `row` in the shipped table. */
  readonly price: Pick<PriceRowJson, 'tiers' | 'units'> & { readonly row: string; readonly shipped: boolean };
  readonly answer?: unknown;
  /** The bytes of a stream, event by event. */
  readonly events?: readonly string[];
  readonly settle?: Settle;
  readonly usage: Usage;
  /** Nano-USD. */
  readonly charge: string;
  readonly arithmetic: string;
}

/** How an answer without final usage is settled, and by which policy. */
export interface Settle {
  readonly as: 'hold' | 'estimated' | 'abandoned';
  readonly preset: 'Standard' | 'Strict';
  readonly policy: string;
  readonly request: { readonly bytes: number; readonly messages: number; readonly outputCap: number };
  readonly bound: { readonly inputTokens: number; readonly outputTokens: number };
  readonly dearest: { readonly input: string; readonly output: string };
  readonly deliveredBytes: number;
  /** The caller left after so many events of the stream. */
  readonly abortAfterEvents?: number;
}

const FOLDER = new URL('./corpus/', import.meta.url);

export const billingCorpus = (): readonly BillingRow[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .flatMap((name): readonly BillingRow[] => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')));
