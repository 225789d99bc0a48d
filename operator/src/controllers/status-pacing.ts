/**
 * Which statuses are written now: for one object the first change after a quiet time at once and then no more than one per
 * five seconds, for all objects no more than twenty a second, the largest change first. Pure; time is monotonic
 * milliseconds.
 */
export interface Offer {
  readonly key: string;
  /** How much it matters; 0 is drift: figures that move by themselves. */
  readonly size: number;
  /** When something first differed from what is written. */
  readonly since: number;
}

export interface PacingState {
  readonly lastWrite: ReadonlyMap<string, number>;
  /** Times of the writes of the last second, oldest first. */
  readonly recent: readonly number[];
}

export interface PacingChoice {
  readonly write: readonly string[];
  /** When to ask again, though nothing new is offered; null: nothing waits. */
  readonly nextAt: number | null;
}

export const NO_WRITES: PacingState = { lastWrite: new Map(), recent: [] };

export const PER_OBJECT_MS = 5_000;
export const DRIFT_MS = 60_000;
export const PER_SECOND = 20;
/** Whoever waited so long goes before larger changes. */
export const LONG_WAIT_MS = 30_000;
const SECOND_MS = 1_000;

export const chooseWrites = (
  offers: readonly Offer[],
  { lastWrite, recent }: PacingState,
  now: number,
): PacingChoice => {
  const dueAt = ({ key, size }: Offer): number => {
    const last = lastWrite.get(key);
    return last === undefined ? now : last + (size === 0 ? DRIFT_MS : PER_OBJECT_MS);
  };
  const inSecond = recent.filter((at) => at > now - SECOND_MS);
  const due = offers.filter((offer) => dueAt(offer) <= now).sort(byUrgency(now));
  const write = due.slice(0, Math.max(0, PER_SECOND - inSecond.length)).map(({ key }) => key);
  const waits = offers.filter(({ key }) => !write.includes(key));
  if (waits.length === 0) return { write, nextAt: null };
  const earliestDue = Math.min(...waits.map(dueAt));
  const used = inSecond.length + write.length;
  // The slot of the oldest write of the last second comes free first; those chosen now count from now.
  const freeAt = used < PER_SECOND ? now : (inSecond[0] ?? now) + SECOND_MS;
  return { write, nextAt: Math.max(earliestDue, freeAt) };
};

export const afterWrites = ({ lastWrite, recent }: PacingState, keys: readonly string[], now: number): PacingState => {
  const kept = [...lastWrite].filter(([, at]) => at > now - DRIFT_MS);
  return {
    lastWrite: new Map([...kept, ...keys.map((key) => [key, now] as const)]),
    recent: [...recent.filter((at) => at > now - SECOND_MS), ...keys.map(() => now)],
  };
};

const byUrgency =
  (now: number) =>
  (a: Offer, b: Offer): number => {
    const aLong = now - a.since >= LONG_WAIT_MS;
    const bLong = now - b.since >= LONG_WAIT_MS;
    if (aLong !== bLong) return aLong ? -1 : 1;
    if (!aLong && a.size !== b.size) return b.size - a.size;
    return a.since - b.since;
  };
