/**
 * Moments at which something is given up, with one timer for all of them: it is set for the earliest, so that a deadline
 * that is put off with every piece of an answer costs a number, and not a timer.
 */
export interface Deadline {
  /** Monotonic milliseconds. May be put off at any time; `add` again where it comes nearer. */
  at: number;
  expire(): void;
}

export interface Deadlines {
  now(): number;
  add(deadline: Deadline): void;
  remove(deadline: Deadline): void;
  clear(): void;
}

export interface DeadlinesDeps {
  readonly clock: () => number;
  /** Sets a timer that keeps no process alive; what it returns takes it back. */
  readonly after: (ms: number, act: () => void) => () => void;
}

export const makeDeadlines = ({ clock, after }: DeadlinesDeps): Deadlines => {
  const all = new Set<Deadline>();
  let wakesAt = Infinity;
  let cancel: (() => void) | null = null;

  const wakeAt = (at: number): void => {
    cancel?.();
    wakesAt = at;
    cancel = at === Infinity ? null : after(Math.max(1, Math.ceil(at - clock())), look);
  };

  const look = (): void => {
    cancel = null;
    wakesAt = Infinity;
    const now = clock();
    let next = Infinity;
    for (const deadline of all) {
      if (deadline.at <= now) {
        all.delete(deadline);
        deadline.expire();
      } else if (deadline.at < next) next = deadline.at;
    }
    // What was added meanwhile may be nearer.
    if (next < wakesAt) wakeAt(next);
  };

  return {
    now: clock,
    add: (deadline) => {
      all.add(deadline);
      if (deadline.at < wakesAt) wakeAt(deadline.at);
    },
    remove: (deadline) => {
      all.delete(deadline);
    },
    clear: () => {
      all.clear();
      wakeAt(Infinity);
    },
  };
};

export const systemDeadlines = (): Deadlines =>
  makeDeadlines({
    clock: () => performance.now(),
    after: (ms, act) => {
      // Node's own bound for a timer.
      const timer = setTimeout(act, Math.min(ms, 2 ** 31 - 1)).unref();
      return () => clearTimeout(timer);
    },
  });
