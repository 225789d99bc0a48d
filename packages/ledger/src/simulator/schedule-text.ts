/** A schedule for a person: one line an action, in order. */
import type { Action, PlannedLimit, Schedule } from './schedule.ts';

export const scheduleTable = (schedule: Schedule): string => {
  const { seed, proxies, servers, lastsMs, limits, actions } = schedule;
  return [
    `seed ${String(seed)}: ${String(proxies)} proxies, ${String(servers)} servers, ${String(lastsMs / 1_000)} s, ${String(actions.length)} actions`,
    ...limits.map((limit, index) => `  limit ${String(index)}: ${limitText(limit)}`),
    ...actions.map((action) => `  ${String(action.at).padStart(7)} ms  ${actionText(action)}`),
  ].join('\n');
};

const limitText = ({ budget, limit, unit, max, windowMs, buckets, isPartitioned }: PlannedLimit): string => {
  const window =
    windowMs === null
      ? 'in all'
      : buckets === null
        ? `in every ${String(windowMs)} ms`
        : `in any ${String(buckets)} buckets of ${String(windowMs)} ms`;
  return `${budget}/${limit}: ${String(max)} ${unit} ${window}${isPartitioned ? ', a partition' : ''}`;
};

const actionText = (action: Action): string => {
  const { at: _, kind, ...rest } = action;
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${textOf(value)}`);
  return [kind.padEnd(20), ...fields].join(' ');
};

const textOf = (value: unknown): string => (Array.isArray(value) ? value.map(String).join('+') : String(value));
