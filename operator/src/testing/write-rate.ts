/** How dense events lie in time. Pure; times in milliseconds, ascending. */

/** The most of them within any span of so many milliseconds. */
export const mostWithin = (times: readonly number[], spanMs: number): number => {
  let most = 0;
  let first = 0;
  times.forEach((at, last) => {
    while (at - (times[first] ?? at) >= spanMs) first += 1;
    most = Math.max(most, last - first + 1);
  });
  return most;
};

/**
 * By how many they exceed a rate at worst, over whatever span; 0 where none is exceeded. `slackMs`: by how much one may
 * have been delayed on its way, so that it lies closer to the next one than it was sent.
 */
export const excessOver = (
  times: readonly number[],
  { perSecond, slackMs }: { readonly perSecond: number; readonly slackMs: number },
): number => {
  let excess = 0;
  // As a bucket that leaks at the rate and holds what one second and the delay may bring.
  const room = perSecond * (1 + slackMs / 1000);
  let level = 0;
  let before = times[0] ?? 0;
  for (const at of times) {
    level = Math.max(0, level - ((at - before) / 1000) * perSecond) + 1;
    before = at;
    excess = Math.max(excess, Math.ceil(level - room));
  }
  return excess;
};
