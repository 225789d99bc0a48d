/** Which events a budget's figures are worth: each threshold once a window, the highest that was crossed. Pure. */
import type { TokenBudget, TokenBudgetLimit } from '@tollgate/api';
import type { BudgetView } from '../../programming/server-views.ts';
import { statusFields } from '../stored-status.ts';
import type { StoredObject } from '../stored-status.ts';
import { EVENT } from './reasons.ts';

export interface Announcement {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

/** What was said of each limit: how high, of which window and which maximum. */
export type Announced = ReadonlyMap<
  string,
  { readonly windowStart: number; readonly max: bigint; readonly level: number }
>;

export interface Announcements {
  readonly events: readonly Announcement[];
  readonly announced: Announced;
}

/** Above every percentage: nothing is left. */
const USED_UP = 1_000;

export const announcementsOf = (
  budget: TokenBudget,
  view: BudgetView,
  { announced, object }: { readonly announced: Announced; readonly object: StoredObject },
): Announcements => {
  const events: Announcement[] = [];
  const next = new Map<string, { windowStart: number; max: bigint; level: number }>();
  for (const limit of budget.spec.limits) {
    const figures = view.limits.find(({ name }) => name === limit.name);
    if (figures === undefined) continue;
    const { windowStart, max } = figures;
    const reached = levelOf(limit, figures);
    const said = announced.get(limit.name);
    const isSame = said !== undefined && said.max === max && isSameWindow(limit, said.windowStart, windowStart);
    // Another process may have said it before this one led: then the status that was written tells.
    const former = isSame ? said.level : said === undefined ? storedLevel(limit, object, windowStart) : 0;
    if (reached > former) events.push(announce(budget, limit, figures, reached));
    const level = isSame ? Math.max(former, reached) : Math.max(reached, said === undefined ? former : 0);
    next.set(limit.name, { windowStart: isSame ? said.windowStart : windowStart, max, level });
  }
  return { events, announced: next };
};

type Figures = BudgetView['limits'][number];

const levelOf = ({ warnAtPercent = [] }: TokenBudgetLimit, { percent, remaining }: Figures): number =>
  remaining === 0n ? USED_UP : Math.max(0, ...warnAtPercent.filter((threshold) => percent >= threshold));

/** A sliding window moves all the time: one that has moved by its own length is another. */
const isSameWindow = ({ window, period }: TokenBudgetLimit, before: number, now: number): boolean =>
  window === 'Sliding' ? now - before < PERIOD_MS[period] : before === now;

const DAY_MS = 86_400_000;
const PERIOD_MS: Readonly<Record<TokenBudgetLimit['period'], number>> = {
  Minute: 60_000,
  Hour: 3_600_000,
  Day: DAY_MS,
  Week: 7 * DAY_MS,
  Month: 30 * DAY_MS,
  Total: Infinity,
};

/** Figures are cut to whole percent there, and so are thresholds. */
const storedLevel = (limit: TokenBudgetLimit, object: StoredObject, windowStart: number): number => {
  const { limits } = statusFields(object);
  if (!Array.isArray(limits)) return 0;
  const stored = limits.find(
    (entry: unknown): entry is Readonly<Record<string, unknown>> =>
      typeof entry === 'object' && entry !== null && 'name' in entry && entry.name === limit.name,
  );
  const start = Date.parse(String(stored?.['windowStart']));
  const percent = stored?.['percent'];
  if (typeof percent !== 'number' || !isSameWindow(limit, start, windowStart)) return 0;
  return percent >= 100 ? USED_UP : Math.max(0, ...(limit.warnAtPercent ?? []).filter((each) => percent >= each));
};

const announce = (
  { spec }: TokenBudget,
  limit: TokenBudgetLimit,
  { percent, resetAt }: Figures,
  level: number,
): Announcement => {
  const reset = resetAt === null ? 'it never resets' : `it resets at ${new Date(resetAt).toISOString()}`;
  if (level === USED_UP) {
    const fate = spec.enforcement === 'Hard' ? 'the calls it counts are refused' : 'calls pass all the same';
    return {
      type: 'Warning',
      reason: EVENT.exhausted,
      note: `Limit ${limit.name} is used up: ${fate}; ${reset}. Raise it in spec.limits to let more through.`,
    };
  }
  return {
    type: 'Warning',
    reason: EVENT.threshold,
    note: `Limit ${limit.name} is used by ${percent} %, which is over its threshold of ${level} %; ${reset}.`,
  };
};
