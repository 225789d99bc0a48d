/**
 * Reads a provider's usage object by a table of paths. A figure is a whole number from 0 to a billion (no context comes
 * near it; more is a broken or hostile answer). Absent and null are not zero: they are simply not there.
 */
export type Counts<Name extends string> = Readonly<Partial<Record<Name, number>>>;

/** Each figure with the places where it may stand; the first that is there counts. */
export type CountPaths<Name extends string> = Readonly<Record<Name, readonly (readonly string[])[]>>;

const MAX_FIGURE = 1_000_000_000;

export type CountsResult<Name extends string> =
  { readonly ok: true; readonly counts: Counts<Name> } | { readonly ok: false; readonly fault: string };

export const readCounts = <Name extends string>(usage: unknown, paths: CountPaths<Name>): CountsResult<Name> => {
  const counts: Partial<Record<Name, number>> = {};
  for (const name in paths) {
    for (const path of paths[name]) {
      const value = at(usage, path);
      if (value === undefined || value === null) continue;
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_FIGURE)
        return { ok: false, fault: `${path.join('.')} is not a count of tokens` };
      counts[name] = value;
      break;
    }
  }
  return { ok: true, counts };
};

const at = (value: unknown, path: readonly string[]): unknown => {
  let inner = value;
  for (const key of path) inner = isObject(inner) ? inner[key] : undefined;
  return inner;
};

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
