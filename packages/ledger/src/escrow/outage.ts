/** Whether the ledger can be asked for leases: gone once a call waited for its word in vain, back with the next word. */
export interface Outage {
  /** Monotonic milliseconds; null = the ledger answers. */
  since(): number | null;
  declare(now: number): void;
  /** The ledger said something, yes or no. */
  heard(): void;
}

export const makeOutage = (): Outage => {
  let since: number | null = null;
  return {
    since: () => since,
    declare: (now) => {
      since ??= now;
    },
    heard: () => {
      since = null;
    },
  };
};
