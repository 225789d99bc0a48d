/** What the simulated provider remembers of earlier prompts. It forgets nothing by time, only the oldest when full. */
import { createHash } from 'node:crypto';
import type { Segment } from './ask.ts';

/** Prompts shorter than this are never cached, with OpenAI, Anthropic and Gemini alike. */
const MIN_CACHED_TOKENS = 1024;
const STEP_TOKENS = 128;
const BYTES_PER_TOKEN = 4;
/** Prefixes are compared no further than this. */
const MAX_PREFIX_BYTES = 1 << 20;
const MAX_ENTRIES = 100_000;

export interface CacheReading {
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
}

export interface PromptCache {
  /** Tokens of the longest known prefix, in steps of 128 from 1,024; then knows this prompt too. */
  readPrefix(scope: string, text: string): number;
  /** Explicit breakpoints: the longest known one is read, what lies between it and the last is written. */
  readBreakpoints(scope: string, segments: readonly Segment[]): CacheReading;
}

export const makePromptCache = (): PromptCache => {
  const known = new Set<string>();
  const remember = (key: string): void => {
    known.add(key);
    if (known.size > MAX_ENTRIES) for (const oldest of known.keys()) return void known.delete(oldest);
  };

  return {
    readPrefix(scope, text) {
      const bytes = Buffer.from(text).subarray(0, MAX_PREFIX_BYTES);
      const step = STEP_TOKENS * BYTES_PER_TOKEN;
      let cached = 0;
      let key = scope;
      for (let end = step; end <= bytes.length; end += step) {
        key = digest(key, bytes.subarray(end - step, end));
        const tokens = end / BYTES_PER_TOKEN;
        if (tokens < MIN_CACHED_TOKENS) continue;
        if (known.has(key)) cached = tokens;
        else remember(key);
      }
      return cached;
    },

    readBreakpoints(scope, segments) {
      let key = scope;
      let total = 0;
      let read = 0;
      const points: { key: string; total: number; ttl: '5m' | '1h' }[] = [];
      for (const segment of segments) {
        key = digest(key, Buffer.from(segment.text));
        total += segment.tokens;
        if (segment.breakpoint === null || total < MIN_CACHED_TOKENS) continue;
        points.push({ key, total, ttl: segment.breakpoint });
        if (known.has(key)) read = total;
      }
      const written = { '5m': 0, '1h': 0 };
      let upTo = read;
      for (const point of points) {
        remember(point.key);
        if (point.total <= upTo) continue;
        written[point.ttl] += point.total - upTo;
        upTo = point.total;
      }
      return { read, write5m: written['5m'], write1h: written['1h'] };
    },
  };
};

const digest = (former: string, bytes: Buffer): string =>
  createHash('sha256').update(former).update(bytes).digest('base64');
