import type { CounterWindow } from '../counter.ts';
import { LedgerUnavailable } from '../lease-port.ts';
import { parseCounterKey } from '../pool/counter-key.ts';
import type { Drained, LineBalance, StateBalance, StateGrant } from '../pool/pool-state.ts';

/** What the functions answer, taken apart at the door. Every answer begins with its kind, the time, and the count of changes. */
export interface Answer {
  readonly kind: string;
  readonly now: number;
  readonly changes: number;
  readonly rest: readonly unknown[];
}

export const readAnswer = (reply: unknown): Answer => {
  if (!Array.isArray(reply)) throw strange();
  const [kind, now, changes, ...rest] = reply as readonly unknown[];
  return { kind: textOf(kind), now: numberOf(now), changes: numberOf(changes), rest };
};

export const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  throw strange();
};

const WHOLE = /^-?[0-9]{1,16}$/;

export const amountOf = (value: unknown): bigint => {
  const text = textOf(value);
  if (!WHOLE.test(text)) throw strange();
  return BigInt(text);
};

export const numberOf = (value: unknown): number => Number(amountOf(value));

export const listOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  throw strange();
};

const endOf = (value: unknown): number | null => (value === '' ? null : numberOf(value));

/** `[window id, start, end, amount, left]` of each counter. */
export const grantsIn = (reply: unknown): readonly StateGrant[] =>
  listOf(parseJson(textOf(reply))).map((line) => {
    const [id, start, end, amount, left] = listOf(line);
    const window: CounterWindow = { id: textOf(id), start: numberOf(start), end: endOf(end) };
    return { window, amount: amountOf(amount), left: amountOf(left) };
  });

export const balancesIn = (rest: readonly unknown[]): readonly LineBalance[] =>
  inGroups(rest, 2).map(([pooled, block]) => ({ pooled: amountOf(pooled), block: amountOf(block) }));

export const countersIn = (rest: readonly unknown[]): readonly StateBalance[] =>
  inGroups(rest, 4).map(([key, end, pooled, leased]) => ({
    key: textOf(key),
    windowEnd: endOf(end),
    pooled: amountOf(pooled),
    leased: amountOf(leased),
  }));

export const drainedIn = (id: string, rest: readonly unknown[]): Drained => ({
  id,
  returns: inGroups(rest, 2).map(([key, amount]) => ({ ...parseCounterKey(textOf(key)), amount: amountOf(amount) })),
});

/** Drain ids, each with its lines as JSON. */
export const drainsIn = (fields: readonly unknown[]): readonly Drained[] =>
  inGroups(fields, 2).map(([id, lines]) => drainedIn(textOf(id), listOf(parseJson(textOf(lines))).flatMap(listOf)));

const inGroups = (values: readonly unknown[], size: number): readonly (readonly unknown[])[] => {
  if (values.length % size !== 0) throw strange();
  return Array.from({ length: values.length / size }, (_, at) => values.slice(at * size, (at + 1) * size));
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw strange({ cause });
  }
};

const strange = (options?: ErrorOptions): LedgerUnavailable =>
  new LedgerUnavailable('what answered is not the pool of this version', options);
