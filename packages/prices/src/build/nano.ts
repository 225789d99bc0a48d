/**
 * A dollar figure of the source, read from the shortest decimal that names the double (which is the decimal its author
 * wrote) and moved by whole powers of ten: no floating arithmetic. A rest below one nano is rounded up.
 *
 * @example
 * nanoOf(0.01875, 9) // 18_750_000n: $0.01875 a million tokens in nano-USD
 */
export const nanoOf = (dollars: number, shift: number): bigint => {
  const parts = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(dollars));
  if (parts === null) throw new RangeError(`not a price: ${dollars}`);
  const [, whole = '', fraction = '', exponent = '0'] = parts;
  const places = shift + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  if (places >= 0) return digits * 10n ** BigInt(places);
  const divisor = 10n ** BigInt(-places);
  return (digits + divisor - 1n) / divisor;
};
