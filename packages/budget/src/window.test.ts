import { Temporal } from '@js-temporal/polyfill';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Period } from '@tollgate/api';
import { SLIDING_BUCKETS, slidingTerms } from './sliding.ts';
import { windowAt, type BudgetWindow } from './window.ts';

const HOUR = 3_600_000;

/** Ordinary zones, half and quarter hours, midnights that do not exist, a day that does not exist, clocks set back at 00:01. */
const ZONES = [
  'Etc/UTC',
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Goose_Bay',
  'America/Sao_Paulo',
  'America/Havana',
  'America/Caracas',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Tehran',
  'Asia/Beirut',
  'Asia/Pyongyang',
  'Asia/Gaza',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Antarctica/Troll',
] as const;

const zone = fc.constantFrom(...ZONES);
/** 1973 to 2045. */
const instant = fc.integer({ min: Date.UTC(1973, 0, 1), max: Date.UTC(2045, 0, 1) });
const period = fc.constantFrom<Period[]>('Minute', 'Hour', 'Day', 'Week', 'Month');
const kind = fc.constantFrom('Calendar' as const, 'Sliding' as const);

const utc = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;

const endOf = ({ end }: BudgetWindow): number => {
  if (end === null) throw new Error('a window without an end');
  return end;
};

/** Asked after quite another instant, so that no answer is the remembered one. */
const afresh: typeof windowAt = (p, k, z, now) => {
  windowAt(p, k, z, now + 4000 * 24 * HOUR);
  return windowAt(p, k, z, now);
};

const day = (timeZone: string, at: string): BudgetWindow => windowAt('Day', 'Calendar', timeZone, utc(at));

const hours = (window: BudgetWindow): number => (endOf(window) - window.start) / HOUR;

describe('windowAt', () => {
  it('contains its instant, and is the same for its first and its last millisecond', () => {
    fc.assert(
      fc.property(period, kind, zone, instant, (p, k, z, now) => {
        const window = afresh(p, k, z, now);
        expect(window.start).toBeLessThanOrEqual(now);
        expect(now).toBeLessThan(endOf(window));
        expect(afresh(p, k, z, window.start)).toEqual(window);
        expect(afresh(p, k, z, endOf(window) - 1)).toEqual(window);
      }),
      { numRuns: 80 },
    );
  });

  it('tiles time: the next window begins where one ends, under another id', () => {
    fc.assert(
      fc.property(period, kind, zone, instant, (p, k, z, now) => {
        const window = afresh(p, k, z, now);
        const next = afresh(p, k, z, endOf(window));
        expect(next.start).toBe(window.end);
        expect(next.id).not.toBe(window.id);
        expect(afresh(p, k, z, window.start - 1).end).toBe(window.start);
      }),
      { numRuns: 80 },
    );
  });

  it('tiles the hours and days around every change of every clock', () => {
    for (const z of ZONES) {
      let change = Temporal.Instant.from('2008-01-01T00:00Z').toZonedDateTimeISO(z).getTimeZoneTransition('next');
      for (let count = 0; count < 8 && change !== null; count += 1) {
        for (const p of ['Hour', 'Day'] as const) {
          let window = windowAt(p, 'Calendar', z, change.epochMilliseconds - 3 * HOUR);
          const until = change.epochMilliseconds + 3 * HOUR;
          while (endOf(window) < until) {
            const next = windowAt(p, 'Calendar', z, endOf(window));
            expect([z, next.start]).toEqual([z, window.end]);
            window = next;
          }
        }
        change = change.getTimeZoneTransition('next');
      }
    }
  });

  it('begins days, weeks and months with the first instant of a local day', () => {
    fc.assert(
      fc.property(fc.constantFrom('Day', 'Week', 'Month'), zone, instant, (p, z, now) => {
        const { start } = windowAt(p, 'Calendar', z, now);
        const local = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(z);
        expect(local.startOfDay().epochMilliseconds).toBe(start);
        const before = Temporal.Instant.fromEpochMilliseconds(start - 1).toZonedDateTimeISO(z);
        if (p === 'Month') expect([local.day, before.month === local.month]).toEqual([1, false]);
        if (p === 'Week') expect(local.dayOfWeek).toBe(1);
      }),
      { numRuns: 80 },
    );
  });

  it('knows days of 23, 24 and 25 hours, and of half hours more or less', () => {
    expect(hours(day('Europe/Berlin', '2026-03-29T12:00Z'))).toBe(23);
    expect(hours(day('Europe/Berlin', '2026-06-01T12:00Z'))).toBe(24);
    expect(hours(day('Europe/Berlin', '2026-10-25T12:00Z'))).toBe(25);
    expect(hours(day('Australia/Lord_Howe', '2026-10-03T20:00Z'))).toBe(23.5);
    expect(hours(day('Australia/Lord_Howe', '2026-04-04T20:00Z'))).toBe(24.5);
    expect(hours(day('Antarctica/Troll', '2026-03-29T12:00Z'))).toBe(22);
  });

  it('begins the day after the gap where midnight does not exist', () => {
    expect(day('America/Sao_Paulo', '2018-11-04T12:00Z')).toEqual({
      id: '2018-11-04T01:00-02:00[America/Sao_Paulo]/Day',
      start: utc('2018-11-04T03:00Z'),
      end: utc('2018-11-05T02:00Z'),
    });
    expect(day('Africa/Cairo', '2024-04-26T12:00Z').start).toBe(utc('2024-04-25T22:00Z'));
  });

  it('joins a day that a zone skipped to no window at all', () => {
    // Samoa crossed the date line: Thursday the 29th was followed by Saturday the 31st.
    expect(day('Pacific/Apia', '2011-12-30T09:59:59Z').id).toBe('2011-12-29T00:00-10:00[Pacific/Apia]/Day');
    expect(day('Pacific/Apia', '2011-12-30T10:00Z').id).toBe('2011-12-31T00:00+14:00[Pacific/Apia]/Day');
  });

  it('goes on with a day whose first minute came before the clock was set back over midnight', () => {
    // Newfoundland, 7 November 2010: 00:01 became 23:01 of the 6th.
    const first = day('America/St_Johns', '2010-11-07T02:30:30Z');
    expect(first.id).toBe('2010-11-07T00:00-02:30[America/St_Johns]/Day');
    expect(day('America/St_Johns', '2010-11-07T02:45Z')).toEqual(first);
    expect(hours(first)).toBe(25);
  });

  it('begins weeks on Monday and months on the first, across years and leap days', () => {
    const at = (p: Period, when: string): string => windowAt(p, 'Calendar', 'Etc/UTC', utc(when)).id;
    expect(at('Week', '2027-01-01T00:00Z')).toBe('2026-12-28T00:00Z/Week');
    expect(at('Week', '2026-11-23T00:00Z')).toBe('2026-11-23T00:00Z/Week');
    expect(at('Month', '2028-02-29T23:59:59.999Z')).toBe('2028-02-01T00:00Z/Month');
    expect(at('Month', '2026-12-31T23:59Z')).toBe('2026-12-01T00:00Z/Month');
    expect(at('Minute', '2026-11-21T10:46:45Z')).toBe('2026-11-21T10:46Z/Minute');
  });

  it('counts hours by the wall clock: two of one name in autumn, one of 90 minutes where clocks move by 30', () => {
    const hour = (z: string, when: string): BudgetWindow => windowAt('Hour', 'Calendar', z, utc(when));
    expect(hour('Asia/Kolkata', '2026-11-21T10:46Z').id).toBe('2026-11-21T16:00+05:30[Asia/Kolkata]/Hour');
    expect(hour('Europe/Berlin', '2026-10-25T00:30Z').id).toBe('2026-10-25T02:00+02:00[Europe/Berlin]/Hour');
    expect(hour('Europe/Berlin', '2026-10-25T01:30Z').id).toBe('2026-10-25T02:00+01:00[Europe/Berlin]/Hour');
    expect(hours(hour('Australia/Lord_Howe', '2026-10-03T15:45Z'))).toBe(1.5);
    expect(hours(hour('Australia/Lord_Howe', '2026-10-03T14:45Z'))).toBe(1.5);
    expect(hours(hour('Europe/Berlin', '2026-03-29T01:10Z'))).toBe(1);
  });

  it('has one window for all time where the period is Total', () => {
    expect(windowAt('Total', 'Calendar', 'Europe/Berlin', utc('2026-11-21T00:00Z'))).toEqual({
      id: 'Total',
      start: 0,
      end: null,
    });
    expect(windowAt('Total', 'Sliding', 'Etc/UTC', 0).id).toBe('Total');
  });

  it('names the buckets of sliding windows in UTC, whatever the zone', () => {
    const at = (p: Period): string => windowAt(p, 'Sliding', 'Europe/Berlin', utc('2026-11-21T10:46:45Z')).id;
    expect(at('Minute')).toBe('2026-11-21T10:46:40Z/Minute/Sliding');
    expect(at('Hour')).toBe('2026-11-21T10:45:00Z/Hour/Sliding');
    expect(at('Day')).toBe('2026-11-21T10:45:00Z/Day/Sliding');
    expect(at('Week')).toBe('2026-11-21T06:00:00Z/Week/Sliding');
    expect(at('Month')).toBe('2026-11-21T00:00:00Z/Month/Sliding');
  });

  it('covers every interval of a sliding period with m + 1 consecutive buckets', () => {
    fc.assert(
      fc.property(fc.constantFrom('Minute', 'Hour', 'Day', 'Week', 'Month'), instant, (p, from) => {
        const { buckets, bucketMs } = slidingTerms(p);
        expect(buckets).toBe(SLIDING_BUCKETS[p] + 1);
        const length = bucketMs * SLIDING_BUCKETS[p];
        const first = windowAt(p, 'Sliding', 'Etc/UTC', from);
        const last = windowAt(p, 'Sliding', 'Etc/UTC', from + length - 1);
        expect(endOf(first) - first.start).toBe(bucketMs);
        expect((last.start - first.start) / bucketMs).toBeLessThan(buckets);
      }),
    );
  });

  it('keeps windows of two zones apart though they begin together', () => {
    const at = utc('2026-03-15T12:00Z');
    const berlin = windowAt('Month', 'Calendar', 'Europe/Berlin', at);
    const lagos = windowAt('Month', 'Calendar', 'Africa/Lagos', at);
    expect(berlin.start).toBe(lagos.start);
    expect(berlin.end).not.toBe(lagos.end);
    expect(berlin.id).not.toBe(lagos.id);
  });

  it('throws for a zone that nobody knows', () => {
    expect(() => windowAt('Day', 'Calendar', 'Mars', 0)).toThrow(RangeError);
  });

  it('answers the same however many zones were asked for in between', () => {
    const at = utc('2026-03-15T12:00Z');
    const before = windowAt('Day', 'Calendar', 'Asia/Tokyo', at);
    windowAt('Day', 'Calendar', 'Asia/Tokyo', at + 100 * HOUR);
    expect(windowAt('Day', 'Calendar', 'Asia/Tokyo', at)).toEqual(before);
  });
});
