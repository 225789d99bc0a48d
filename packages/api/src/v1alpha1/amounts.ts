/** Sums of money and counts, as manifests write them. Money is a decimal string of US dollars: YAML has only floats. */
import { z } from 'zod';
import { withPattern, withRule } from './kubernetes-schema.ts';
import { int64 } from './whole-number.ts';

const USD = /^[0-9]{1,7}(\.[0-9]{1,9})?$/;
/** 2^53 - 1 nano-dollars: what every store and script can hold exactly. */
const MAX_USD = '9007199.254740991';
const NOT_TEXT = 'must be US dollars as a decimal string in quotes, such as "25" or "0.05"';
const NOT_USD = 'must be US dollars as plain decimal digits with at most nine decimals, such as "25" or "0.05"';
const MAX_WHOLE = 9_007_199;
const MAX_FRACTION = 254_740_991;

/** Zero or more US dollars. */
export const usd = () =>
  withRule(
    withPattern(
      z
        .string({ error: ({ input }) => (typeof input === 'string' || input === undefined ? undefined : NOT_TEXT) })
        .max(17),
      { pattern: USD, message: NOT_USD, faultOf: usdFault },
    ),
    {
      cel:
        `int(self.split('.')[0]) < ${MAX_WHOLE} || (int(self.split('.')[0]) == ${MAX_WHOLE} && ` +
        `(!self.contains('.') || int((self.split('.')[1] + '000000000').substring(0, 9)) <= ${MAX_FRACTION}))`,
      message: `must be at most ${MAX_USD}`,
      reads: 'value',
      holds: isWithinMaximum,
    },
  );

/** More than zero US dollars. */
export const usdAboveZero = () =>
  withRule(usd(), {
    cel: "self.matches('[1-9]')",
    message: 'must be more than 0',
    reads: 'value',
    holds: (text) => /[1-9]/.test(text),
  });

/** A whole number of tokens or calls, at least one. */
export const countAboveZero = () => int64(1);

const usdFault = (text: string): string => {
  if (/^-/.test(text)) return 'must not be negative';
  if (/^[0-9]{8,}(\.[0-9]*)?$/.test(text)) return `must be at most ${MAX_USD}`;
  if (/^[0-9]+\.[0-9]{10,}$/.test(text)) return 'must have at most nine decimals';
  return 'must be US dollars as plain decimal digits, such as "25" or "0.05"';
};

const isWithinMaximum = (text: string): boolean => {
  const [whole = '0', fraction = ''] = text.split('.');
  const dollars = Number(whole);
  return dollars < MAX_WHOLE || (dollars === MAX_WHOLE && Number(fraction.padEnd(9, '0')) <= MAX_FRACTION);
};
