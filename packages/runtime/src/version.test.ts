import { expect, it } from '@jest/globals';
import { monotonicClock } from './timers.ts';
import { VERSION } from './version.ts';

it('says that it runs from source where no bundler put a version in', () => {
  expect(VERSION).toMatch(/^\d+\.\d+\.\d+\+source$/);
});

it('has a clock that does not go back', () => {
  const before = monotonicClock();
  expect(monotonicClock()).toBeGreaterThanOrEqual(before);
});
