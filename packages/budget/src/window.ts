/**
 * The window that an instant falls into: calendar windows in an IANA zone, buckets of a sliding one, or all time.
 * Windows of one (period, kind, zone) tile time: no gap, no overlap, whatever clocks do there. Behind its own subpath,
 * since only the ledger's side asks, and the zone rules are heavy.
 */
import { Temporal } from '@js-temporal/polyfill';
import type { Period, WindowKind } from '@tollgate/api';
import { slidingTerms } from './sliding.ts';

/** Milliseconds since 1970, UTC. `end` is the first instant of the next window; null for Total. */
export interface BudgetWindow {
  /** `2026-11-21T00:00Z/Day`, `2026-11-21T00:00+01:00[Europe/Berlin]/Day`, `2026-11-21T00:15:00Z/Day/Sliding`, `Total` */
  readonly id: string;
  readonly start: number;
  readonly end: number | null;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const UTC = 'UTC';
const TOTAL: BudgetWindow = { id: 'Total', start: 0, end: null };

/**
 * Throws a RangeError for a zone that is not known here; schemas refuse those at the door.
 *
 * @example
 * windowAt('Month', 'Calendar', 'Etc/UTC', Date.UTC(2026, 10, 21)).id // '2026-11-01T00:00Z/Month'
 */
export const windowAt = (period: Period, kind: WindowKind, timeZone: string, nowMs: number): BudgetWindow => {
  if (period === 'Total') return TOTAL;
  // Since 1972 every zone is whole minutes off UTC, so that minutes are the same everywhere.
  const zone = kind === 'Sliding' || period === 'Minute' || timeZone === 'Etc/UTC' ? UTC : timeZone;
  const key = `${period}/${kind}/${zone}`;
  const last = lastWindows.get(key);
  if (last !== undefined && last.start <= nowMs && nowMs < last.end) return last;
  const { start, end } = boundsOf(period, kind, zone, nowMs);
  const window = { id: idOf(period, kind, zone, start), start, end };
  if (lastWindows.size >= MAX_REMEMBERED) lastWindows.clear();
  lastWindows.set(key, window);
  return window;
};

/** Zone rules cost some 0.4 ms a window, and nearly every question is about the window of the one before. */
const lastWindows = new Map<string, BudgetWindow & Bounds>();
const MAX_REMEMBERED = 4096;

interface Bounds {
  readonly start: number;
  readonly end: number;
}

type BoundedPeriod = Exclude<Period, 'Total'>;

const boundsOf = (period: BoundedPeriod, kind: WindowKind, zone: string, nowMs: number): Bounds => {
  if (kind === 'Sliding') return stepBounds(nowMs, slidingTerms(period).bucketMs);
  switch (period) {
    case 'Minute':
      return stepBounds(nowMs, MINUTE);
    case 'Hour':
      return zone === UTC
        ? stepBounds(nowMs, HOUR)
        : { start: fullHourUntil(zone, nowMs), end: fullHourAfter(zone, nowMs) };
    case 'Day':
    case 'Week':
    case 'Month':
      return dateBounds(period, zone, nowMs);
    default:
      return period satisfies never;
  }
};

const stepBounds = (nowMs: number, step: number): Bounds => {
  const start = nowMs - modulo(nowMs, step);
  return { start, end: start + step };
};

/** From the first instant of the first local day to that of the first day after the period. */
const dateBounds = (period: 'Day' | 'Week' | 'Month', zone: string, nowMs: number): Bounds => {
  let first = firstDate(period, at(zone, nowMs).toPlainDate());
  let start = firstInstant(first, zone);
  for (;;) {
    const next = first.add(STEPS[period]);
    const end = firstInstant(next, zone);
    if (nowMs < end) return { start, end };
    // A clock set back over midnight shows yesterday's date again; a day, once begun, goes on.
    first = next;
    start = end;
  }
};

const STEPS = { Day: { days: 1 }, Week: { weeks: 1 }, Month: { months: 1 } } as const;

const firstDate = (period: 'Day' | 'Week' | 'Month', date: Temporal.PlainDate): Temporal.PlainDate => {
  if (period === 'Month') return date.with({ day: 1 });
  return period === 'Week' ? date.subtract({ days: date.dayOfWeek - 1 }) : date;
};

/** Midnight, or the instant after the gap where the clock skips midnight (or the whole day). */
const firstInstant = (date: Temporal.PlainDate, zone: string): number => date.toZonedDateTime(zone).epochMilliseconds;

/**
 * An hour runs from one full hour on the wall clock to the next. A clock set back by an hour shows two hours of the same
 * name, which are two windows; one moved by half an hour (Lord Howe) makes one hour of 90 minutes.
 */
const fullHourUntil = (zone: string, ms: number): number => {
  const full = ms - modulo(ms + offsetAt(zone, ms), HOUR);
  // The search is for changes strictly before its argument.
  const change = at(zone, ms + 1).getTimeZoneTransition('previous')?.epochMilliseconds ?? -Infinity;
  return change <= full ? full : fullHourUntil(zone, change - 1);
};

const fullHourAfter = (zone: string, ms: number): number => {
  const full = ms - modulo(ms + offsetAt(zone, ms), HOUR) + HOUR;
  const change = at(zone, ms).getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity;
  if (change > full) return full;
  return modulo(change + offsetAt(zone, change), HOUR) === 0 ? change : fullHourAfter(zone, change);
};

const at = (zone: string, ms: number): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);

const offsetAt = (zone: string, ms: number): number => at(zone, ms).offsetNanoseconds / 1_000_000;

/** The zone is part of the name: windows of two zones may begin together and still end apart. */
const idOf = (period: Period, kind: WindowKind, zone: string, start: number): string => {
  if (kind === 'Sliding') return `${isoUtc(start, 'second')}/${period}/Sliding`;
  if (zone === UTC) return `${isoUtc(start, 'minute')}/${period}`;
  return `${at(zone, start).toString({ smallestUnit: 'minute' })}/${period}`;
};

const isoUtc = (ms: number, smallestUnit: 'minute' | 'second'): string =>
  Temporal.Instant.fromEpochMilliseconds(ms).toString({ smallestUnit });

const modulo = (value: number, divisor: number): number => ((value % divisor) + divisor) % divisor;
