/** A schedule as a file, to be played again exactly: JSON, checked as far as playing it needs. */
import type { Schedule } from './schedule.ts';

export const scheduleFile = (schedule: Schedule): string => `${JSON.stringify(schedule, null, 1)}\n`;

/** Throws a `TypeError` where the text is no schedule. What each action says is the writer's word. */
export const parseSchedule = (text: string): Schedule => {
  const value: unknown = JSON.parse(text);
  if (!isSchedule(value)) throw new TypeError('this file is no schedule: it has no seed, limits and actions');
  return value;
};

const isSchedule = (value: unknown): value is Schedule =>
  typeof value === 'object' &&
  value !== null &&
  'seed' in value &&
  'limits' in value &&
  Array.isArray(value.limits) &&
  'actions' in value &&
  Array.isArray(value.actions) &&
  value.actions.every((action) => typeof action === 'object' && action !== null && 'kind' in action && 'at' in action);
