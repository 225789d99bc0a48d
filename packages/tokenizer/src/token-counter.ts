/** Exact token counts beside the request path: a worker thread, started by the first count and ended when idle. */
import { Worker } from 'node:worker_threads';
import { encodingOf } from './encoding.ts';
import type { CountReply, CountRequest } from './worker.ts';

export interface TokenCount {
  readonly tokens: number;
  readonly exact: true;
}

export interface TokenCounter {
  /** Null: no public tokenizer for this model, or no count within the limits. The caller keeps the bound it has. */
  count(model: string, text: string): Promise<TokenCount | null>;
  /** Ends the worker; counts under way answer null, later ones too. */
  release(): Promise<void>;
}

export interface TokenCounterOptions {
  /** Where a bundle keeps the worker; from source it stands beside this file. */
  readonly workerUrl?: URL;
  /** A count that takes longer ends the worker. The first of an encoding loads its ranks: 0.3 s. */
  readonly timeoutMs?: number;
  /** Characters. js-tiktoken merges a run without spaces in quadratic time; a megabyte of prose takes half a second. */
  readonly maxLength?: number;
  /** Counts waiting at once; what exceeds them answers null. */
  readonly maxWaiting?: number;
  readonly idleMs?: number;
}

/**
 * @example
 * const counter = makeTokenCounter();
 * await counter.count('gpt-4o', 'hello world'); // { tokens: 2, exact: true }
 * await counter.count('claude-opus-5', 'hello world'); // null
 */
export const makeTokenCounter = ({
  workerUrl = new URL('./worker.ts', import.meta.url),
  timeoutMs = 3_000,
  maxLength = 1_048_576,
  maxWaiting = 32,
  idleMs = 30_000,
}: TokenCounterOptions = {}): TokenCounter => {
  const waiting = new Map<number, (tokens: number | null) => void>();
  let worker: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;
  let nextId = 0;
  let isReleased = false;

  const end = async (): Promise<void> => {
    clearTimeout(idle);
    const ended = worker;
    worker = null;
    for (const answer of waiting.values()) answer(null);
    waiting.clear();
    await ended?.terminate();
  };

  const start = (): Worker => {
    const started = new Worker(workerUrl);
    started.on('message', ({ id, tokens }: CountReply) => waiting.get(id)?.(tokens));
    // A worker that fails to load or runs out of memory answers nobody; the next count starts a new one.
    const lost = (): void => {
      if (worker === started) void end();
    };
    started.on('error', lost);
    started.on('exit', lost);
    return started;
  };

  const settle = (id: number, timer: NodeJS.Timeout): void => {
    clearTimeout(timer);
    waiting.delete(id);
    if (waiting.size > 0 || worker === null) return;
    worker.unref();
    idle = setTimeout(() => void end(), idleMs).unref();
  };

  return {
    async count(model, text) {
      const encoding = encodingOf(model);
      if (encoding === null || isReleased || text.length > maxLength || waiting.size >= maxWaiting) return null;
      clearTimeout(idle);
      worker ??= start();
      worker.ref();
      const id = (nextId += 1);
      const to = worker;
      const tokens = await new Promise<number | null>((resolve) => {
        const timer = setTimeout(() => void end(), timeoutMs);
        waiting.set(id, (answer) => {
          settle(id, timer);
          resolve(answer);
        });
        to.postMessage({ id, encoding, text } satisfies CountRequest);
      });
      return tokens === null ? null : { tokens, exact: true };
    },
    async release() {
      isReleased = true;
      await end();
    },
  };
};
