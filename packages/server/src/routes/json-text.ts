/** JSON with amounts as decimal strings: numbers beyond 2^53 are not exact in it. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
