/** Chance that can be thrown again: mulberry32, whose every draw follows from the seed. */
export interface Dice {
  /** 0 … below `sides`. */
  roll(sides: number): number;
  /** True in so many of a hundred throws. */
  percent(chance: number): boolean;
  pick<T>(options: readonly [T, ...T[]]): T;
}

export const makeDice = (seed: number): Dice => {
  let state = seed >>> 0;
  const roll = (sides: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
  return {
    roll,
    percent: (chance) => roll(100) < chance,
    pick: (options) => options[roll(options.length)] ?? options[0],
  };
};
