/** Does one thing for each, so many at a time; the results stand in the order of what was given. */
export const inTurns = async <T, R>(all: readonly T[], atOnce: number, act: (each: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = [];
  const queue = all.entries();
  const work = async (): Promise<void> => {
    for (const [index, each] of queue) results[index] = await act(each);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
};
