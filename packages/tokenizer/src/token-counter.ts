/** Exact token counts beside the request path: a worker thread, started by the first count and ended when idle. */
import { Worker } from 'node:worker_threads';
import { encodingOf, type EncodingName } from './encoding.ts';
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
  /** How long a caller waits for its count. */
  readonly timeoutMs?: number;
  /** How long it waits while the worker loads the encoding's ranks: 0.3 s, many times that on a busy machine. */
  readonly loadMs?: number;
  /** A worker that still owes a count after this long is ended: it is stuck, and no longer only slow. */
  readonly stuckMs?: number;
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
  loadMs = 10_000,
  stuckMs = 30_000,
  maxLength = 1_048_576,
  maxWaiting = 32,
  idleMs = 30_000,
}: TokenCounterOptions = {}): TokenCounter => {
  /** What the worker owes, whether or not anybody still waits for it. */
  const owed = new Map<number, (tokens: number | null) => void>();
  /** Encodings that the worker has answered in. */
  const loaded = new Set<EncodingName>();
  let worker: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;
  let nextId = 0;
  let isReleased = false;

  const end = async (): Promise<void> => {
    clearTimeout(idle);
    const ended = worker;
    worker = null;
    loaded.clear();
    for (const answer of owed.values()) answer(null);
    owed.clear();
    await ended?.terminate();
  };

  const start = (): Worker => {
    const started = new Worker(workerUrl);
    started.on('message', ({ id, tokens }: CountReply) => owed.get(id)?.(tokens));
    // A worker that fails to load or runs out of memory answers nobody; the next count starts a new one.
    const lost = (): void => {
      if (worker === started) void end();
    };
    started.on('error', lost);
    started.on('exit', lost);
    return started;
  };

  const settle = (id: number): void => {
    owed.delete(id);
    if (owed.size > 0 || worker === null) return;
    worker.unref();
    idle = setTimeout(() => void end(), idleMs).unref();
  };

  return {
    async count(model, text) {
      const encoding = encodingOf(model);
      if (encoding === null || isReleased || text.length > maxLength || owed.size >= maxWaiting) return null;
      clearTimeout(idle);
      worker ??= start();
      worker.ref();
      const id = (nextId += 1);
      const to = worker;
      const tokens = await new Promise<number | null>((resolve) => {
        // The worker goes on, so that what it has loaded by then serves the next.
        const patience = setTimeout(
          () => {
            resolve(null);
          },
          loaded.has(encoding) ? timeoutMs : loadMs,
        );
        const stuck = setTimeout(() => void end(), stuckMs).unref();
        owed.set(id, (answer) => {
          clearTimeout(patience);
          clearTimeout(stuck);
          if (answer !== null) loaded.add(encoding);
          settle(id);
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
