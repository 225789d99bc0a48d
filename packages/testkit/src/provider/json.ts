/** Reads parsed JSON of unknown shape without trusting it: what is not of the wanted kind counts as absent. */
export type JsonObject = Record<string, unknown>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const objectAt = (value: unknown, key: string): JsonObject => {
  const inner = isObject(value) ? value[key] : undefined;
  return isObject(inner) ? inner : {};
};

export const listAt = (value: unknown, key: string): readonly unknown[] => {
  const inner = isObject(value) ? value[key] : undefined;
  return Array.isArray(inner) ? inner : [];
};

export const textAt = (value: unknown, key: string): string | null => {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'string' ? inner : null;
};

/** A whole number of at least zero, or null. */
export const countAt = (value: unknown, key: string): number | null => {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'number' && Number.isSafeInteger(inner) && inner >= 0 ? inner : null;
};

export const flagAt = (value: unknown, key: string): boolean => isObject(value) && value[key] === true;

export const has = (value: unknown, key: string): boolean =>
  isObject(value) && value[key] !== undefined && value[key] !== null;

/** `undefined` where the text is no JSON object. */
export const parseObject = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};
