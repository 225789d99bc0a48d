/**
 * Money is a whole number of nano-US-dollars in a `bigint`; outside the process it is a decimal string of dollars.
 * A counter holds at most 2^53 - 1 nano ($9,007,199.254740991), so that every store and script can hold it exactly.
 */
export type NanoUsd = bigint;

export const NANO_PER_USD = 1_000_000_000n;
export const MAX_AMOUNT = BigInt(Number.MAX_SAFE_INTEGER);

const DECIMAL = /^[0-9]{1,7}(\.[0-9]{1,9})?$/;

/** `"25"`, `"0.000000001"` → nano-USD; throws a RangeError for any other shape or an amount above `MAX_AMOUNT`. */
export const parseUsd = (text: string): NanoUsd => {
  if (!DECIMAL.test(text)) throw new RangeError(`not an amount of US dollars: ${JSON.stringify(text.slice(0, 40))}`);
  const [whole = '0', fraction = ''] = text.split('.');
  const nano = BigInt(whole) * NANO_PER_USD + BigInt(fraction.padEnd(9, '0'));
  if (nano > MAX_AMOUNT) throw new RangeError(`more than 9007199.254740991 US dollars: ${text}`);
  return nano;
};

/** All nine decimals, no sign of thousands: `1500000000n` → `"1.500000000"`. The wire form. */
export const formatUsd = (nano: NanoUsd): string => {
  const sign = nano < 0n ? '-' : '';
  const digits = (nano < 0n ? -nano : nano).toString().padStart(10, '0');
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}`;
};

/** For people: trailing zeros cut, at least two decimals kept: `"1.50"`, `"0.000012"`. */
export const displayUsd = (nano: NanoUsd): string => formatUsd(nano).replace(/(\.\d\d\d*?)0+$/, '$1');
