/**
 * A time as Kubernetes' MicroTime takes it: with six decimals. Three, as JavaScript writes them, are refused by some
 * fields.
 *
 * @param ms milliseconds since 1970
 * @example microTime(0) // '1970-01-01T00:00:00.000000Z'
 */
export const microTime = (ms: number): string => new Date(ms).toISOString().replace(/Z$/, '000Z');
