/**
 * PostgreSQL stores neither NUL nor half a surrogate pair. Names that callers claim may hold them, and one such call must
 * not stop the spool of its proxy: what cannot be stored becomes U+FFFD.
 */
export const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');

/** A parameter for PostgreSQL's `json` types. */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? storable(part) : part));
