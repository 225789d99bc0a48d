import { expect, it } from '@jest/globals';
import { makeDeadlines } from './deadlines.ts';

/** A clock that a test moves, and the one timer that is set. */
const aBench = () => {
  let now = 0;
  let timer: { readonly at: number; readonly act: () => void } | null = null;
  let timersSet = 0;
  const deadlines = makeDeadlines({
    clock: () => now,
    after: (ms, act) => {
      const mine = { at: now + ms, act };
      timer = mine;
      timersSet += 1;
      return () => {
        if (timer === mine) timer = null;
      };
    },
  });
  return {
    deadlines,
    timersSet: () => timersSet,
    isSet: () => timer !== null,
    moveTo: (to: number) => {
      for (let due = timer; due !== null && due.at <= to; due = timer) {
        now = due.at;
        timer = null;
        due.act();
      }
      now = to;
    },
  };
};

it('gives up what is due, once, and what was put off only then', () => {
  const { deadlines, moveTo } = aBench();
  const ended: string[] = [];
  const first = { at: 100, expire: () => void ended.push('first') };
  const second = { at: 200, expire: () => void ended.push('second') };
  deadlines.add(first);
  deadlines.add(second);
  first.at = 300;
  moveTo(250);
  expect(ended).toEqual(['second']);
  moveTo(1_000);
  expect(ended).toEqual(['second', 'first']);
});

it('heeds one that comes nearer, and forgets one that is taken out', () => {
  const { deadlines, moveTo, isSet } = aBench();
  const ended: string[] = [];
  const near = { at: 500, expire: () => void ended.push('near') };
  const gone = { at: 600, expire: () => void ended.push('gone') };
  deadlines.add(near);
  deadlines.add(gone);
  near.at = 50;
  deadlines.add(near);
  deadlines.remove(gone);
  moveTo(50);
  expect(ended).toEqual(['near']);
  moveTo(2_000);
  expect([ended, isSet()]).toEqual([['near'], false]);
});

it('sets one timer for thousands that are put off again and again', () => {
  const { deadlines, timersSet, moveTo } = aBench();
  for (let call = 0; call < 5_000; call += 1) {
    const deadline = { at: 60_000, expire: () => undefined };
    deadlines.add(deadline);
    deadline.at += 1_000;
    deadlines.remove(deadline);
  }
  moveTo(59_000);
  expect(timersSet()).toBe(1);
  deadlines.clear();
});
