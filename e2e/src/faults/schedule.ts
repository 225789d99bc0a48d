/** Which faults come, in what order: every row before any comes again, and each row's own faults in turn. */
import type { Dice } from '../testing/dice.ts';
import type { Fault } from './faults/scene.ts';

/** An endless order that follows from the dice alone. */
export function* schedule(faults: readonly Fault[], dice: Dice): Generator<Fault> {
  const rows = [...Map.groupBy(faults, ({ row }) => row).values()].map((some) => shuffled(some, dice));
  const isLast = (of: readonly Fault[]): boolean => of.some(({ losesCommits = false }) => losesCommits);
  for (let turn = 0; ; turn += 1) {
    // What ends a round comes when all others have had their turn.
    for (const of of shuffled(rows, dice).toSorted((a, b) => Number(isLast(a)) - Number(isLast(b)))) {
      const fault = of[turn % of.length];
      if (fault !== undefined) yield fault;
    }
  }
}

const shuffled = <T>(all: readonly T[], dice: Dice): readonly T[] => {
  const left = [...all];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(dice.roll(left.length), 1));
  return out;
};
