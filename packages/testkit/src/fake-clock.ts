/** Time that moves only when a test says so: a monotonic clock, a wall clock beside it, and the timers of both. */
export interface FakeClock {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970; `setWall` moves it alone, as an administrator or NTP would. */
  readonly wallNow: () => number;
  /** The shape in which processes take their timers. */
  readonly timers: { after(ms: number, act: () => void): () => void };
  /** Resolves when so much time has been made to pass. */
  sleep(ms: number): Promise<void>;
  /** Lets time pass, running each timer at its moment and in order, and what its callbacks promise in between. */
  advance(ms: number): Promise<void>;
  setWall(ms: number): void;
  /** Timers that have not fired. */
  pending(): number;
}

interface Timer {
  readonly due: number;
  readonly act: () => void;
}

const START_WALL = Date.UTC(2026, 0, 15, 12);
/** Turns of the microtask queue granted between timers: enough for a chain of a few dozen awaits. */
const SETTLE_TURNS = 64;

export const makeFakeClock = (startWall: number = START_WALL): FakeClock => {
  let monotonic = 0;
  let wallOffset = startWall;
  const timers = new Set<Timer>();

  const after = (ms: number, act: () => void): (() => void) => {
    const timer = { due: monotonic + Math.max(0, ms), act };
    timers.add(timer);
    return () => void timers.delete(timer);
  };

  return {
    now: () => monotonic,
    wallNow: () => wallOffset + monotonic,
    timers: { after },
    sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
    async advance(ms) {
      const end = monotonic + ms;
      await settle();
      for (let next = earliest(timers, end); next !== null; next = earliest(timers, end)) {
        monotonic = Math.max(monotonic, next.due);
        timers.delete(next);
        next.act();
        await settle();
      }
      monotonic = end;
    },
    setWall: (ms) => void (wallOffset = ms - monotonic),
    pending: () => timers.size,
  };
};

/** Sets keep the order of insertion, so that of two timers due together the older one comes first. */
const earliest = (timers: ReadonlySet<Timer>, end: number): Timer | null => {
  let first: Timer | null = null;
  for (const timer of timers) if (timer.due <= end && (first === null || timer.due < first.due)) first = timer;
  return first;
};

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await Promise.resolve();
};
