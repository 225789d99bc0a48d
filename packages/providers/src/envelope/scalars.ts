import type { JsonScanner } from '../scan/json-scanner.ts';
import { ScanFault } from '../scan/scan-fault.ts';
import type { Draft } from './draft.ts';

/** Reads the single values that decide a price. Anything but the exact type is refused with its path; null = not said. */
const MAX_MODEL_BYTES = 256;
const MAX_LABEL_BYTES = 512;
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;
const COUNT = /^[1-9][0-9]{0,15}$/;

/** `1` … `max` in plain digits: `100.0` and `1e2` are refused too, since readers disagree about them. */
export const readCount = <Name extends string>(scan: JsonScanner<Name>, param: string, max: number): number | null => {
  const written = scan.raw();
  if (written === 'null') return null;
  const value = COUNT.test(written) ? Number(written) : 0;
  if (value >= 1 && value <= max && Number.isSafeInteger(value)) return value;
  throw new ScanFault('invalid_value', `${param} must be a whole number from 1 to ${String(max)}`, param);
};

/** Where no value can begin the body is broken, and that is what its sender must hear: not that a value is of a wrong type. */
const peekValue = <Name extends string>(scan: JsonScanner<Name>): ReturnType<JsonScanner<Name>['peek']> => {
  const kind = scan.peek();
  if (kind === 'none') scan.skip();
  return kind;
};

export const readBoolean = <Name extends string>(scan: JsonScanner<Name>, param: string): boolean | null => {
  const kind = peekValue(scan);
  if (kind !== 'true' && kind !== 'false' && kind !== 'null')
    throw new ScanFault('invalid_value', `${param} must be true or false`, param);
  scan.skip();
  return kind === 'null' ? null : kind === 'true';
};

/** Exactly as the price table will look it up; nothing that could break a log line or a label. */
export const readModel = <Name extends string>(scan: JsonScanner<Name>, draft: Draft): void => {
  const start = scan.pos;
  const kind = peekValue(scan);
  if (kind === 'null') {
    scan.skip();
  } else {
    const model = kind === 'string' ? scan.text(MAX_MODEL_BYTES) : null;
    if (model === null || !PRINTABLE.test(model))
      throw new ScanFault(
        'invalid_value',
        `model must be a printable string of at most ${String(MAX_MODEL_BYTES)} bytes`,
        'model',
      );
    draft.model = model;
  }
  draft.splice.model = { start, end: scan.pos };
};

/** A cap in tokens. Where two fields give one, the larger is held and both are remembered for a change. */
export const readOutputCap = <Name extends string>(
  scan: JsonScanner<Name>,
  draft: Draft,
  field: string,
  param = field,
): void => {
  const start = scan.pos;
  const cap = readCount(scan, param, Number.MAX_SAFE_INTEGER);
  draft.splice.outputCaps = [...draft.splice.outputCaps, { field, start, end: scan.pos, isNull: cap === null }];
  if (cap !== null) draft.outputCap = Math.max(draft.outputCap ?? 0, cap);
};

/** A label that only describes (a user, a tier): what is no short string is taken as not said. */
export const readLabel = <Name extends string>(scan: JsonScanner<Name>): string | null => {
  if (scan.peek() === 'string') return scan.text(MAX_LABEL_BYTES);
  scan.skip();
  return null;
};

/** Is there anything at all: neither null, false, "" nor an empty list or object? */
export const readPresence = <Name extends string>(scan: JsonScanner<Name>): boolean => {
  const kind = scan.peek();
  const start = scan.pos;
  const isEmpty = (kind === 'array' || kind === 'object') && scan.isEmptyNext();
  scan.skip();
  if (kind === 'string') return scan.pos - start > 2;
  return !isEmpty && kind !== 'null' && kind !== 'false';
};
