/** How large schedules are to be. */
import type { FaultKind } from './schedule.ts';

export interface Shape {
  readonly proxies: number;
  readonly servers: number;
  readonly lastsMs: number;
  readonly calls: number;
  readonly faults: number;
  /** Of these kinds alone. */
  readonly kinds: readonly FaultKind[] | null;
  /** Share of schedules in which some attempts cost more than they held. */
  readonly unsound: number;
}

/** What the issue asks of a schedule. */
export const FULL: Shape = {
  proxies: 8,
  servers: 2,
  lastsMs: 120_000,
  calls: 208,
  faults: 7,
  kinds: null,
  unsound: 0.1,
};
