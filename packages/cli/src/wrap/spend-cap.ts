/** An amount of US dollars as people type it: `2usd`, `$2`, `0.05 USD`, `2`. */
import { parseUsd } from '@tollgate/metering';
import type { NanoUsd } from '@tollgate/metering';

export type SpendCap = { readonly ok: true; readonly nano: NanoUsd } | { readonly ok: false; readonly message: string };

export const parseSpendCap = (text: string): SpendCap => {
  const match = /^\$?\s*(\d{1,9}(?:\.\d+)?|\.\d+)\s*(?:usd|dollars?|\$)?$/i.exec(text.trim());
  if (match === null) return { ok: false, message: `not an amount of US dollars: "${text}"` };
  const number = match[1] ?? '';
  try {
    const nano = parseUsd(number.startsWith('.') ? `0${number}` : number);
    if (nano === 0n) return { ok: false, message: 'a budget of 0 lets no call through' };
    return { ok: true, nano };
  } catch (error) {
    // Too many digits: parseUsd says which.
    return { ok: false, message: error instanceof RangeError ? error.message : String(error) };
  }
};
