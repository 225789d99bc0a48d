/** An amount of US dollars as people type it: `2usd`, `$2`, `0.05 USD`, `2`. */
import { parseUsd } from '@tollgate/metering';
import type { NanoUsd } from '@tollgate/metering';

export type SpendCap = { readonly ok: true; readonly nano: NanoUsd } | { readonly ok: false; readonly message: string };

export const parseSpendCap = (text: string): SpendCap => {
  const match = /^\$?\s*(\d+(?:\.\d+)?|\.\d+)\s*(?:usd|dollars?|\$)?$/i.exec(text.trim());
  if (match === null) return { ok: false, message: `not an amount of US dollars: "${text}"` };
  const [whole = '', fraction = ''] = (match[1] ?? '').split('.');
  if (/[1-9]/.test(fraction.slice(DECIMALS))) return { ok: false, message: `finer than a nano-dollar: "${text}"` };
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  if (digits.length > MOST_DIGITS) return tooLarge(text);
  try {
    const nano = parseUsd(fraction === '' ? digits : `${digits}.${fraction.slice(0, DECIMALS)}`);
    return nano === 0n ? { ok: false, message: 'a budget of 0 lets no call through' } : { ok: true, nano };
  } catch {
    return tooLarge(text);
  }
};

const DECIMALS = 9;
/** Of $9,007,199.254740991, the most that an amount may be. */
const MOST_DIGITS = 7;

const tooLarge = (text: string): SpendCap => ({
  ok: false,
  message: `too large for a budget, which ends at $9,007,199.254740991: "${text}"`,
});
