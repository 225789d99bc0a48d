/** The door for the answer of `/v1/explain/ID`: every attempt of one call, with what it was charged to. */
import type { NanoUsd, Usage } from '@tollgate/metering';
import { CliError } from '../cli-error.ts';

export interface Explanation {
  readonly requestId: string;
  readonly charged: NanoUsd;
  readonly attempts: readonly ExplainedAttempt[];
}

export interface ExplainedAttempt {
  readonly attempt: number;
  readonly workload: string;
  readonly team: string;
  readonly user: string | null;
  readonly route: string | null;
  readonly backend: string | null;
  readonly provider: string;
  readonly format: string;
  readonly modelAsked: string | null;
  readonly modelSent: string | null;
  readonly modelAnswered: string | null;
  readonly isStream: boolean;
  readonly status: number | null;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly usage: Usage;
  readonly settle: string;
  readonly held: NanoUsd;
  readonly charged: NanoUsd;
  readonly isUnproven: boolean;
  readonly priceVersion: string | null;
  readonly priceRow: ExplainedPrice | null;
  readonly counters: readonly ExplainedCounter[];
}

export interface ExplainedPrice {
  readonly model: string;
  readonly source: string;
  readonly date: string;
  /** Nano-USD per million tokens, or per piece, of the kinds that were used; null in a charge from before they were kept. */
  readonly rates: Readonly<Record<string, bigint>> | null;
}

export interface ExplainedCounter {
  readonly budget: string;
  readonly limit: string;
  readonly partition: string;
  readonly windowId: string;
  readonly unit: string;
  readonly max: bigint;
  readonly held: bigint;
  readonly charged: bigint;
  readonly wouldRefuse: boolean;
}

export const explanationFrom = (answer: unknown): Explanation => {
  const from = record(answer);
  return {
    requestId: text(from['requestId']),
    charged: amount(from['charged']),
    attempts: list(from['attempts']).map(readAttempt),
  };
};

const readAttempt = (value: unknown): ExplainedAttempt => {
  const from = record(value);
  const subject = record(from['subject']);
  const price = from['priceRow'] === null || from['priceRow'] === undefined ? null : record(from['priceRow']);
  return {
    attempt: number(from['attempt']),
    workload: `${text(subject['namespace'])}/${text(subject['workload'])}`,
    team: text(subject['team']),
    user: textOrNull(from['user']),
    route: textOrNull(from['route']),
    backend: textOrNull(from['backend']),
    provider: text(from['provider']),
    format: text(from['format']),
    modelAsked: textOrNull(from['modelAsked']),
    modelSent: textOrNull(from['modelSent']),
    modelAnswered: textOrNull(from['modelAnswered']),
    isStream: from['stream'] === true,
    status: from['status'] === null ? null : number(from['status']),
    startedAt: number(from['startedAt']),
    endedAt: number(from['endedAt']),
    usage: Object.fromEntries(Object.entries(record(from['usage'])).map(([kind, count]) => [kind, number(count)])),
    settle: text(from['settle']),
    held: amount(from['held']),
    charged: amount(from['charged']),
    isUnproven: from['unproven'] === true,
    priceVersion: textOrNull(from['priceVersion']),
    priceRow: price === null ? null : readPrice(price),
    counters: list(from['counters']).map(readCounter),
  };
};

const readPrice = (price: Readonly<Record<string, unknown>>): ExplainedPrice => ({
  model: text(price['model']),
  source: text(price['source']),
  date: text(price['date']),
  rates:
    price['rates'] === undefined
      ? null
      : Object.fromEntries(Object.entries(record(price['rates'])).map(([kind, rate]) => [kind, amount(rate)])),
});

const readCounter = (value: unknown): ExplainedCounter => {
  const from = record(value);
  return {
    budget: text(from['budget']),
    limit: text(from['limit']),
    partition: text(from['partition']),
    windowId: text(from['windowId']),
    unit: text(from['unit']),
    max: amount(from['max']),
    held: amount(from['held']),
    charged: amount(from['charged']),
    wouldRefuse: from['wouldRefuse'] === true,
  };
};

const unreadable = (): CliError =>
  new CliError('the server did not answer with an explanation', {
    todo: 'check that the server and this command are of one version: tollgate version',
  });

const record = (value: unknown): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable();
  return { ...value };
};

const list = (value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw unreadable();
  return value;
};

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw unreadable();
  return value;
};

const textOrNull = (value: unknown): string | null => (value === null || value === undefined ? null : text(value));

const number = (value: unknown): number => {
  if (typeof value !== 'number') throw unreadable();
  return value;
};

const amount = (value: unknown): bigint => {
  if (typeof value !== 'string' || !/^\d{1,19}$/.test(value)) throw unreadable();
  return BigInt(value);
};
