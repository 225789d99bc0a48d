/** `1h30m`, `30s`, `500ms` → milliseconds. The schema has checked the form. */
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

export const durationMs = (text: string): number => {
  let total = 0;
  for (const [, count = '0', unit = ''] of text.matchAll(/(\d{1,9})(ms|h|m|s)/g))
    total += Number(count) * (UNIT_MS[unit] ?? 0);
  return total;
};
