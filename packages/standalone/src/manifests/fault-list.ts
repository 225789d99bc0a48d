/** Faults for people: the first ones in full, the others as a count. */
const SHOWN = 20;

export const faultList = (faults: readonly string[]): readonly string[] =>
  faults.length <= SHOWN ? faults : [...faults.slice(0, SHOWN), `… and ${faults.length - SHOWN} more`];
