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
  /** When the last write of each began. */
  readonly lastWrite: ReadonlyMap<string, number>;
  /** Writes that have begun and not ended. */
  readonly underWay: number;
  /** When those ended that ended within the last second, oldest first. */
  readonly ended: readonly number[];
}

export interface PacingChoice {
  readonly write: readonly string[];
  /** When to ask again, though nothing new is offered and no write ends; null: not at all. */
  readonly nextAt: number | null;
}

export const NO_WRITES: PacingState = { lastWrite: new Map(), underWay: 0, ended: [] };

export const PER_OBJECT_MS = 5_000;
export const DRIFT_MS = 60_000;
export const PER_SECOND = 20;
export const SECOND_MS = 1_000;
/** Whoever waited so long goes before larger changes. */
export const LONG_WAIT_MS = 30_000;

/**
 * What is under way counts until it has ended, and a second longer: an API server that is slow is not sent more than it
 * answers, and it sees no more than twenty in a second either, whatever was delayed on the way to it.
 */
export const chooseWrites = (
  offers: readonly Offer[],
  { lastWrite, underWay, ended }: PacingState,
  now: number,
): PacingChoice => {
  const dueAt = ({ key, size }: Offer): number => {
    const last = lastWrite.get(key);
    return last === undefined ? now : last + (size === 0 ? DRIFT_MS : PER_OBJECT_MS);
  };
  const inSecond = ended.filter((at) => at > now - SECOND_MS);
  const room = Math.max(0, PER_SECOND - underWay - inSecond.length);
  const due = offers.filter((offer) => dueAt(offer) <= now).sort(byUrgency(now));
  const write = due.slice(0, room).map(({ key }) => key);
  const chosen = new Set(write);
  const waits = offers.filter(({ key }) => !chosen.has(key));
  if (waits.length === 0) return { write, nextAt: null };
  if (write.length < room) return { write, nextAt: Math.min(...waits.map(dueAt)) };
  const [first] = inSecond;
  return { write, nextAt: first === undefined ? null : Math.max(Math.min(...waits.map(dueAt)), first + SECOND_MS) };
};

export const afterBegin = (state: PacingState, keys: readonly string[], now: number): PacingState => {
  const kept = [...state.lastWrite].filter(([, at]) => at > now - DRIFT_MS);
  return {
    ...state,
    lastWrite: new Map([...kept, ...keys.map((key) => [key, now] as const)]),
    underWay: state.underWay + keys.length,
  };
};

/** One of them ended. What waits may be looked at again a second later. */
export const afterEnd = ({ lastWrite, underWay, ended }: PacingState, now: number): PacingState => ({
  lastWrite,
  underWay: underWay - 1,
  ended: [...ended.filter((at) => at > now - SECOND_MS), now],
});

const byUrgency =
  (now: number) =>
  (a: Offer, b: Offer): number => {
    const aLong = now - a.since >= LONG_WAIT_MS;
    const bLong = now - b.since >= LONG_WAIT_MS;
    if (aLong !== bLong) return aLong ? -1 : 1;
    if (!aLong && a.size !== b.size) return b.size - a.size;
    return a.since - b.since;
  };
