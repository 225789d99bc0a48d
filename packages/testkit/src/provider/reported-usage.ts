/** Turns a true usage object, in a provider's own shape, into what the answer shall claim. */
import type { UsageLie } from './behaviour.ts';
import { isObject } from './json.ts';
import type { JsonObject } from './json.ts';

const OVER_EVERY_HOLD = 1_000_000_000;
const CACHED_KEYS = new Set(['cached_tokens', 'cache_read_input_tokens', 'cachedContentTokenCount']);

/** The field to spread into an answer: empty where the usage is to be missing. */
export const usageField = (key: string, usage: JsonObject, lie: UsageLie | undefined): JsonObject => {
  switch (lie) {
    case 'missing':
      return {};
    case 'null':
      return { [key]: null };
    case 'negative':
      return { [key]: replaceNumbers(usage, () => -5) };
    case 'infinite':
      return { [key]: replaceNumbers(usage, () => 1e308) };
    case 'text':
      return { [key]: replaceNumbers(usage, () => '12') };
    case 'fraction':
      return { [key]: replaceNumbers(usage, () => 1.5) };
    case 'zero':
      return { [key]: replaceNumbers(usage, () => 0) };
    case 'over-hold':
      return { [key]: replaceNumbers(usage, () => OVER_EVERY_HOLD) };
    case 'cached-over-prompt':
      return {
        [key]: replaceNumbers(usage, (value, name) => (CACHED_KEYS.has(name) ? value + OVER_EVERY_HOLD : value)),
      };
    default:
      return { [key]: usage };
  }
};

/** The usage frames that end a stream: one, or two where they shall contradict each other. */
export const usageFrames = (key: string, usage: JsonObject, lie: UsageLie | undefined): readonly JsonObject[] => {
  const half = { [key]: replaceNumbers(usage, (value) => Math.floor(value / 2)) };
  if (lie === 'twice') return [half, { [key]: usage }];
  if (lie === 'shrinking') return [{ [key]: usage }, half];
  const field = usageField(key, usage, lie);
  return key in field ? [field] : [];
};

const replaceNumbers = (usage: JsonObject, replace: (value: number, name: string) => unknown): JsonObject => {
  const copy: JsonObject = {};
  for (const [name, value] of Object.entries(usage)) {
    copy[name] =
      typeof value === 'number' ? replace(value, name) : isObject(value) ? replaceNumbers(value, replace) : value;
  }
  return copy;
};
