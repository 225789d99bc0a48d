/** One call, from the caller's side: what came back, in full or not, and how it ended. */
import { request, type Agent, type IncomingMessage } from 'node:http';
import type { DrawnCall } from './draw-call.ts';

export interface Outcome {
  readonly label: string;
  readonly proxy: string;
  /** Milliseconds of the rig's monotonic clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Null: no head came. */
  readonly status: number | null;
  readonly requestId: string | null;
  /** Of an answer that Tollgate gave itself: the code in it. */
  readonly refusal: string | null;
  /** The answer came to its end. */
  readonly isWhole: boolean;
  readonly retryAfter: string | null;
  /** The start of an answer that is no success. */
  readonly text: string;
}

const MOST_TEXT = 1_000;
const TIMEOUT_MS = 30_000;

export interface SendOptions {
  readonly agent: Agent;
  readonly proxy: string;
  readonly url: string;
  readonly now: () => number;
}

export const sendCall = (call: DrawnCall, { agent, proxy, url, now }: SendOptions): Promise<Outcome> =>
  new Promise((resolve) => {
    const startedAt = now();
    let status: number | null = null;
    let requestId: string | null = null;
    let retryAfter: string | null = null;
    let isWhole = false;
    let received = 0;
    let events = 0;
    let text = '';
    const sent = request(`${url}${call.path}`, { method: 'POST', agent, headers: call.headers }, (answer) => {
      status = answer.statusCode ?? null;
      requestId = headerOf(answer.headers['x-tollgate-request-id']);
      retryAfter = headerOf(answer.headers['retry-after']);
      answer.on('data', (chunk: Buffer) => {
        received += chunk.length;
        events += eventsIn(chunk);
        if (call.manner === 'slow') pauseFor(answer, SLOW_MS);
        if (status !== 200 && text.length < MOST_TEXT) text += chunk.toString();
        if (call.hangsUpAfter !== null && received >= call.hangsUpAfter) sent.destroy();
        if (call.hangsUpAfterEvents !== undefined && events >= call.hangsUpAfterEvents) sent.destroy();
      });
      answer.on('end', () => {
        isWhole = answer.complete;
      });
      answer.on('error', () => undefined);
    });
    sent.setTimeout(TIMEOUT_MS, () => sent.destroy());
    sent.on('error', () => undefined);
    sent.once('close', () => {
      resolve({
        label: call.label,
        proxy,
        startedAt,
        endedAt: now(),
        status,
        requestId,
        refusal: refusalIn(text),
        isWhole,
        retryAfter,
        text: text.slice(0, MOST_TEXT),
      });
    });
    sent.end(call.body);
    // A FIN behind the request: some clients do, and still want their answer.
    if (call.manner === 'half-closed') sent.once('finish', () => sent.socket?.end());
  });

const SLOW_MS = 30;

const pauseFor = (answer: IncomingMessage, ms: number): void => {
  answer.pause();
  setTimeout(() => answer.resume(), ms);
};

const eventsIn = (chunk: Buffer): number => chunk.toString('latin1').split('\n\n').length - 1;

const headerOf = (value: string | readonly string[] | undefined): string | null =>
  typeof value === 'string' ? value : null;

/** Tollgate's own codes where the provider's error shape has a place for one; Anthropic's has none, so by the words. */
const CODES =
  /\b(budget_exhausted|budget_held|budget_never_fits|budget_store_unavailable|ledger_backpressure|policy_stale|busy|draining|not_ready|internal|upstream_[a-z]+|request_timeout)\b/;
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/the proxy failed; the fault is in its log/, 'internal'],
  [/is exhausted: this call/, 'budget_exhausted'],
  [/is unspent but held: by calls/, 'budget_held'],
  [/more than the whole limit/, 'budget_never_fits'],
];

const refusalIn = (text: string): string | null =>
  CODES.exec(text)?.[1] ?? WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
