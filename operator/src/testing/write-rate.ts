/** The most of these times, in whole seconds, that lie in a row of so many seconds. Pure; milliseconds, in any order. */
export const mostInSeconds = (times: readonly number[], seconds: number): number => {
  const perSecond = new Map<number, number>();
  for (const at of times) perSecond.set(at / 1_000, (perSecond.get(at / 1_000) ?? 0) + 1);
  const sums = [...perSecond.keys()].map((last) => {
    let sum = 0;
    for (let second = last - seconds + 1; second <= last; second += 1) sum += perSecond.get(second) ?? 0;
    return sum;
  });
  return Math.max(0, ...sums);
};

/** By how many they exceed a rate at worst, over whatever row of seconds; 0 where none is exceeded. */
export const excessOver = (times: readonly number[], perSecond: number): number => {
  const seconds = times.map((at) => at / 1_000);
  const span = times.length === 0 ? 0 : Math.max(...seconds) - Math.min(...seconds) + 1;
  let excess = 0;
  for (let length = 1; length <= span; length += 1) {
    excess = Math.max(excess, mostInSeconds(times, length) - perSecond * length);
  }
  return excess;
};
