/**
 * The ledger's time in a process: its own clock, set right by each answer of the state that chooses the windows. Servers
 * whose machines disagree about the time so agree about the window.
 */
export interface LedgerClock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** The state's time, as an answer brought it. */
  heard(stateTimeMs: number): void;
}

export const makeLedgerClock = ({ clock }: { readonly clock: () => number }): LedgerClock => {
  let ahead = 0;
  return {
    now: () => clock() + ahead,
    heard: (stateTimeMs) => {
      ahead = stateTimeMs - clock();
    },
  };
};
