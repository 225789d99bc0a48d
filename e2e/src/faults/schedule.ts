/** Which faults come, in what order: every row before any comes again, and each row's own faults in turn. */
import type { Dice } from '../testing/dice.ts';
import type { Fault } from './faults/scene.ts';

/** An endless order that follows from the dice alone. */
export function* schedule(faults: readonly Fault[], dice: Dice): Generator<Fault> {
  const rows = [...Map.groupBy(faults, ({ row }) => row).values()].map((some) => shuffled(some, dice));
  for (let turn = 0; ; turn += 1) {
    for (const of of shuffled(rows, dice)) {
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
