/** Alarms by time, and in the order they were set where the time is the same: a binary heap. */
import type { CancelTimer } from '../escrow/timers.ts';

export interface Alarms {
  add(at: number, act: () => void): CancelTimer;
  /** The first that is due by then, taken out; null where none is. */
  takeDue(until: number): Alarm | null;
}

export interface Alarm {
  readonly at: number;
  readonly act: () => void;
}

interface Entry extends Alarm {
  readonly order: number;
  isOff: boolean;
}

export const makeAlarms = (): Alarms => {
  const heap: Entry[] = [];
  let order = 0;

  const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

  const rise = (entry: Entry): void => {
    let place = heap.length;
    heap.push(entry);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  };

  const sink = (entry: Entry): void => {
    let place = 0;
    for (;;) {
      const left = heap[place * 2 + 1];
      const right = heap[place * 2 + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const least = isRight ? right : left;
      if (!isBefore(least, entry)) break;
      heap[place] = least;
      place = place * 2 + (isRight ? 2 : 1);
    }
    heap[place] = entry;
  };

  const takeFirst = (): void => {
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) sink(last);
  };

  return {
    add: (at, act) => {
      order += 1;
      const entry: Entry = { at, act, order, isOff: false };
      rise(entry);
      return () => {
        entry.isOff = true;
      };
    },
    takeDue: (until) => {
      for (let first = heap[0]; first !== undefined; first = heap[0]) {
        if (!first.isOff && first.at > until) return null;
        takeFirst();
        if (!first.isOff) return first;
      }
      return null;
    },
  };
};
