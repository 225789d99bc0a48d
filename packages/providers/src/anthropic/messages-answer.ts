import type { Usage } from '@tollgate/metering';
import { type CountPaths, type Counts, type CountsResult, isObject, readCounts } from '../answer/counts.ts';
import type { Reading } from '../answer/inclusive-usage.ts';
import {
  type AnswerScanner,
  type Tally,
  type UsageRules,
  takeContent,
  takeModel,
  takePresence,
  takeUsage,
  takeWord,
} from '../answer/tally.ts';

/** https://docs.anthropic.com/en/api/messages: `input_tokens` leaves out what was read from or written to the cache. */
type Figure = 'input' | 'read' | 'written' | 'written5m' | 'written1h' | 'output' | 'searches';

const PATHS: CountPaths<Figure> = {
  input: [['input_tokens']],
  read: [['cache_read_input_tokens']],
  written: [['cache_creation_input_tokens']],
  written5m: [['cache_creation', 'ephemeral_5m_input_tokens']],
  written1h: [['cache_creation', 'ephemeral_1h_input_tokens']],
  output: [['output_tokens']],
  searches: [['server_tool_use', 'web_search_requests']],
};

const figures = (usage: unknown): CountsResult<Figure> => {
  const whole = readCounts(usage, PATHS);
  const steps = isObject(usage) ? usage.iterations : undefined;
  return whole.ok && Array.isArray(steps) ? withIterations(whole.counts, steps) : whole;
};

/** Server-side compaction is billed, but only its own entry in `iterations` says so: their sum counts where it is larger. */
const withIterations = (whole: Counts<Figure>, steps: readonly unknown[]): CountsResult<Figure> => {
  const sums: Partial<Record<Figure, number>> = {};
  for (const step of steps) {
    const read = readCounts(step, PATHS);
    if (!read.ok) return read;
    for (const name of ADDITIVE) sums[name] = (sums[name] ?? 0) + (read.counts[name] ?? 0);
  }
  const counts: Partial<Record<Figure, number>> = { ...whole };
  for (const name of ADDITIVE)
    if (name in whole || (sums[name] ?? 0) > 0) counts[name] = Math.max(whole[name] ?? 0, sums[name] ?? 0);
  return { ok: true, counts };
};

const ADDITIVE = ['input', 'read', 'written', 'written5m', 'written1h', 'output'] as const;

/** What was written without a stated lifetime counts as five minutes where nothing else is said, else as the dearer hour. */
const usage = (counts: Counts<Figure>): Reading => {
  const { input, output, read = 0, written = 0, searches = 0 } = counts;
  if (input === undefined) return { usage: null, fault: 'the usage has no count of input tokens' };
  if (output === undefined) return { usage: null, fault: 'the usage has no count of output tokens' };
  const isSplit = counts.written5m !== undefined || counts.written1h !== undefined;
  const unsaid = isSplit ? Math.max(0, written - (counts.written5m ?? 0) - (counts.written1h ?? 0)) : 0;
  const cacheWrite5m = isSplit ? (counts.written5m ?? 0) : written;
  const cacheWrite1h = (counts.written1h ?? 0) + unsaid;
  const kinds: Usage = {
    input,
    output,
    ...(read > 0 ? { cachedInput: read } : {}),
    ...(cacheWrite5m > 0 ? { cacheWrite5m } : {}),
    ...(cacheWrite1h > 0 ? { cacheWrite1h } : {}),
    ...(searches > 0 ? { webSearch: searches } : {}),
  };
  return { usage: kinds, fault: unsaid > 0 ? 'more tokens written to the cache than its parts say' : null };
};

export const MESSAGES_USAGE: UsageRules = { figures, usage, discounts: [] };

/**
 * A whole message, or one event of a stream. `message_start` states the input and a cursor for the output: a floor only.
 * `message_delta` overrides it, and is the last word.
 */
export const readMessagesAnswer = (scan: AnswerScanner, tally: Tally): void => {
  let type: string | null = null;
  let hasUsage = false;
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    switch (scan.key()) {
      case 'type':
        type = takeWord(scan);
        break;
      case 'message':
        readStart(scan, tally);
        break;
      case 'delta':
        readDelta(scan, tally);
        break;
      case 'content_block':
      case 'content':
        takeContent(scan, tally);
        break;
      case 'usage':
        hasUsage = takeUsage(scan, tally);
        break;
      case 'model':
        takeModel(scan, tally);
        break;
      case 'error':
        if (takePresence(scan)) tally.errored = true;
        break;
      default:
        scan.skip();
    }
  }
  if (hasUsage && (type === 'message_delta' || type === 'message')) tally.isFinal = true;
  if (type === 'message_stop') tally.complete = true;
  if (type === 'error') tally.errored = true;
};

const readStart = (scan: AnswerScanner, tally: Tally): void => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return;
  }
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (key === 'model') takeModel(scan, tally);
    else if (key === 'usage') takeUsage(scan, tally);
    else scan.skip();
  }
};

/** Text, thinking and tool input are billed; signatures and type names are not. */
const readDelta = (scan: AnswerScanner, tally: Tally): void => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return;
  }
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (key === 'text' || key === 'thinking' || key === 'partial_json') takeContent(scan, tally);
    else scan.skip();
  }
};
