/**
 * Hand-compiled checks of JSON values: the proxy runs them, so no schema library. Each returns the typed value or throws
 * a `WireFault` naming the path. Fields that nobody asks for are ignored, so that a newer peer may say more.
 */
import { MAX_AMOUNT } from '@tollgate/metering';
import { WireFault } from './wire-fault.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Text longer than this is no name, id or model of anybody's. */
const MAX_TEXT = 4_096;
const SHORT_NAME = /^[\x20-\x7e]{1,128}$/;
const MAX_DIGITS = 16;
const ZERO = 48;
const SIGNED_AMOUNT = /^-?[0-9]{1,16}$/;

/** Never crashes on what is not JSON, such as the HTML body of a 503. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WireFault('', 'JSON', { cause });
  }
};

/** As above, of a message that holds names and amounts only: a database takes no text with a NUL, or half a character. */
export const parseNames = (text: string): unknown => {
  if (hasUnstorable(text)) throw new WireFault('', 'text without NUL');
  return parseJson(text);
};

/** As above, of a message that may hold a caller's own words: what no database takes is replaced, and nothing is lost. */
export const parseWords = (text: string): unknown => {
  if (!hasUnstorable(text)) return parseJson(text);
  try {
    return JSON.parse(text, (_key, value: unknown) =>
      typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value,
    );
  } catch (cause) {
    throw new WireFault('', 'JSON', { cause });
  }
};

/** As escapes, since JSON has no other way to write them. May err where a backslash is escaped itself; that harms nobody. */
const hasUnstorable = (text: string): boolean => text.includes('\\u') && /\\u(?:0000|[dD][89a-fA-F])/.test(text);

export const at = (path: string, key: string | number): string =>
  typeof key === 'number' ? `${path}[${String(key)}]` : path === '' ? key : `${path}.${key}`;

export const fields = (value: unknown, path: string): Fields => {
  if (!isFields(value)) throw new WireFault(path, 'an object');
  return value;
};

export const text = (from: Fields, key: string, path: string): string => {
  const value = from[key];
  if (typeof value !== 'string' || value.length > MAX_TEXT) throw new WireFault(at(path, key), 'a string');
  return value;
};

/** An id, a version, a name: printable, and short enough for a key. */
export const shortName = (from: Fields, key: string, path: string): string => {
  const value = from[key];
  if (typeof value !== 'string' || !SHORT_NAME.test(value)) throw new WireFault(at(path, key), 'a short name');
  return value;
};

export const textOrNull = (from: Fields, key: string, path: string): string | null =>
  from[key] === null || from[key] === undefined ? null : text(from, key, path);

export const flag = (from: Fields, key: string, path: string): boolean => {
  const value = from[key];
  if (typeof value !== 'boolean') throw new WireFault(at(path, key), 'true or false');
  return value;
};

/** A safe integer, zero or above: sequence numbers, milliseconds, token counts. */
export const count = (from: Fields, key: string, path: string): number => {
  const value = from[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new WireFault(at(path, key), 'a whole number, zero or above');
  }
  return value;
};

export const countOrNull = (from: Fields, key: string, path: string): number | null =>
  from[key] === null || from[key] === undefined ? null : count(from, key, path);

/** An amount of money, tokens or calls: a decimal string, zero to 2^53 - 1. A JSON number is refused: it is not exact. */
export const amount = (from: Fields, key: string, path: string): bigint => {
  const value = from[key];
  // Digits are added up by hand: a third of the time that a regular expression and BigInt(text) take. Below 10^16 the sum
  // is exact, or above 2^53 - 1 and refused.
  if (typeof value === 'string' && value.length > 0 && value.length <= MAX_DIGITS) {
    let sum = 0;
    for (let at = 0; at < value.length; at += 1) {
      const digit = value.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) return noAmount(key, path);
      sum = sum * 10 + digit;
    }
    if (sum <= Number.MAX_SAFE_INTEGER) return BigInt(sum);
  }
  return noAmount(key, path);
};

const noAmount = (key: string, path: string): never => {
  throw new WireFault(at(path, key), 'an amount as a decimal string');
};

/** What is left of a limit may be below zero: it may have been lowered, or a hold too small. */
export const signedAmount = (from: Fields, key: string, path: string): bigint => {
  const value = from[key];
  if (typeof value === 'string' && SIGNED_AMOUNT.test(value)) {
    const parsed = BigInt(value);
    if (parsed <= MAX_AMOUNT && parsed >= -MAX_AMOUNT) return parsed;
  }
  throw new WireFault(at(path, key), 'an amount as a decimal string');
};

export const list = <T>(
  from: Fields,
  key: string,
  path: string,
  most: number,
  item: (value: unknown, path: string) => T,
): readonly T[] => {
  const value = from[key];
  const here = at(path, key);
  if (!Array.isArray(value)) throw new WireFault(here, 'a list');
  if (value.length > most) throw new WireFault(here, `a list of at most ${String(most)}`);
  // Places are put into words where something is wrong, and not for each of the many that are right.
  return value.map((entry: unknown, index) => {
    try {
      return item(entry, '');
    } catch (fault) {
      throw fault instanceof WireFault ? fault.within(at(here, index)) : fault;
    }
  });
};

export const oneOf = <T extends string>(from: Fields, key: string, path: string, choices: readonly T[]): T => {
  const value = from[key];
  for (const choice of choices) if (choice === value) return choice;
  throw new WireFault(at(path, key), `one of ${choices.join(', ')}`);
};

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
