import { expect, it } from '@jest/globals';
import { makeFakeClock } from './fake-clock.ts';

it('runs timers at their moment and in order, also those that timers set', async () => {
  const clock = makeFakeClock();
  const seen: string[] = [];
  clock.timers.after(20, () => seen.push(`b@${clock.now()}`));
  clock.timers.after(10, () => {
    seen.push(`a@${clock.now()}`);
    clock.timers.after(5, () => seen.push(`nested@${clock.now()}`));
  });
  clock.timers.after(20, () => seen.push(`c@${clock.now()}`));
  await clock.advance(19);
  expect(seen).toEqual(['a@10', 'nested@15']);
  await clock.advance(1);
  expect(seen).toEqual(['a@10', 'nested@15', 'b@20', 'c@20']);
  expect(clock.pending()).toBe(0);
});

it('lets promises go on between timers', async () => {
  const clock = makeFakeClock();
  const seen: number[] = [];
  const work = (async () => {
    for (let round = 0; round < 3; round += 1) {
      await clock.sleep(10);
      seen.push(clock.now());
    }
  })();
  await clock.advance(30);
  await work;
  expect(seen).toEqual([10, 20, 30]);
});

it('forgets a cancelled timer', async () => {
  const clock = makeFakeClock();
  let fired = false;
  const cancel = clock.timers.after(1, () => (fired = true));
  cancel();
  await clock.advance(5);
  expect(fired).toBe(false);
});

it('moves the wall clock alone, and never the monotonic one backwards', async () => {
  const clock = makeFakeClock(1_000);
  await clock.advance(500);
  expect(clock.wallNow()).toBe(1_500);
  clock.setWall(0);
  expect([clock.wallNow(), clock.now()]).toEqual([0, 500]);
});
