import { describe, expect, it } from '@jest/globals';
import { MUTANTS } from './mutants.ts';
import { planSchedule } from './plan.ts';
import { parseSchedule, scheduleFile } from './schedule-file.ts';
import { scheduleTable } from './schedule-text.ts';
import { shorten, violationOf } from './shorten.ts';

const freeAbort = MUTANTS['free abort']?.();

describe('a failing schedule', () => {
  it('is made short, and what is left fails in the same way, again and again', async () => {
    const whole = planSchedule(1);
    const short = await shorten(whole, freeAbort);
    expect(short).not.toBeNull();
    if (!short || !freeAbort) return;
    expect(short.schedule.actions.length).toBeLessThan(4);
    expect(short.violation.invariant).toBe('events');
    const again = await violationOf(short.schedule, freeAbort);
    expect(again?.message).toBe(short.violation.message);
  }, 300_000);

  it('is kept as a file that plays the same, and shown as one line an action', async () => {
    const short = await shorten(planSchedule(1), freeAbort);
    if (!short || !freeAbort) throw new Error('nothing failed');
    const read = parseSchedule(scheduleFile(short.schedule));
    expect(read).toEqual(short.schedule);
    expect((await violationOf(read, freeAbort))?.message).toBe(short.violation.message);
    const table = scheduleTable(short.schedule);
    expect(table).toMatch(/seed 1: 8 proxies/);
    expect(table).toMatch(/ms {2}call .*ending=abandoned/);
  });

  it('is not looked for where nothing fails', async () => {
    expect(await shorten(planSchedule(1))).toBeNull();
  });
});
