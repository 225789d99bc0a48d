/** RFC 6902, as far as an admission answer needs it. */

export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

export type JsonPatch = readonly PatchOperation[];

/** RFC 6901: `~` and `/` are written `~0` and `~1`. */
export const pointer = (...segments: readonly (string | number)[]): string =>
  segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/**
 * Sets entries of a map that may not be there yet; null takes one away. Entries that are so already give no operation.
 *
 * @param at pointer of the map, such as `/metadata/labels`
 */
export const patchMap = (
  at: string,
  present: Readonly<Record<string, string>> | null | undefined,
  wanted: Readonly<Record<string, string | null>>,
): JsonPatch => {
  const changes = Object.entries(wanted).filter(([key, value]) =>
    value === null ? present?.[key] !== undefined : present?.[key] !== value,
  );
  const added = changes.flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
  if (present == null) return added.length === 0 ? [] : [{ op: 'add', path: at, value: Object.fromEntries(added) }];
  return changes.map(([key, value]) => {
    const path = at + pointer(key);
    return value === null ? { op: 'remove', path } : { op: 'add', path, value };
  });
};

/** Appends to a list that may not be there yet. */
export const patchAppend = (
  at: string,
  present: readonly unknown[] | null | undefined,
  items: JsonItems,
): JsonPatch => {
  if (items.length === 0) return [];
  if (present == null) return [{ op: 'add', path: at, value: items }];
  return items.map((value) => ({ op: 'add', path: `${at}/-`, value }));
};

type JsonItems = readonly unknown[];
