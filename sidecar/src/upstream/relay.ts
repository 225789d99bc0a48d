/**
 * Carries one answer from the provider to the caller and reads its usage in passing: pieces are forwarded as they come,
 * a short JSON answer waits for its usage so that its cost can be said in a header. It outlives the caller: when the
 * caller hangs up it reads on for a while, since the usage is at the end (design §4.9). Ends exactly once, by `onEnding`.
 */
import type { ServerResponse } from 'node:http';
import {
  readAnswer,
  makeStreamMeter,
  renderStreamEnd,
  type Answer,
  type FormatId,
  type StreamMeter,
} from '@tollgate/providers';
import { answerHeaders } from '../headers.ts';
import { refuse, type Refusal, type RefusalCode } from '../refusal.ts';
import { makeRedactor, type Redactor } from './redactor.ts';
import { makeStreamBody, type StreamBody } from './stream-body.ts';
import type { FallbackCause } from '@tollgate/api';
import type { BufferBudget } from '../pipeline/buffer-budget.ts';
import type { AnswerFacts } from '../pipeline/settle.ts';
import type { Ending } from '../pipeline/settlement.ts';
import type { Turn } from '../turn.ts';
import type { ResponseHead } from './response-head.ts';
import type { UpstreamControl, UpstreamHandler } from './upstream-call.ts';
import type { UpstreamFault } from './upstream-fault.ts';

export interface RelaySetting {
  readonly res: ServerResponse;
  readonly turn: Turn;
  readonly format: FormatId;
  readonly isStream: boolean;
  /** Tollgate asked for the usage event, so it is taken out again. */
  readonly strip: boolean;
  /** Never to appear in an answer: the key that the proxy put in. */
  readonly secret: string | null;
  /** A failure of these kinds before the first byte goes to the next backend instead of the caller. */
  readonly retryOn: readonly FallbackCause[];
  readonly answerBytes: number;
  /** Bytes of JSON answers that are in memory, over all calls: they are read whole, at their end. */
  readonly kept: BufferBudget;
  readonly drain: DrainAllowance;
  readonly onDisconnect: 'Drain' | 'Cancel';
  /** Bytes of answer that may still be read for a caller who left: of a stream its text, since its frames are many times that. */
  readonly drainBytes: number;
  /** Settles the attempt and says what to add to the answer's headers. Called exactly once. */
  readonly onEnding: (ending: Ending, answer: AnswerFacts) => string[];
  /** Milliseconds UTC, for reports. */
  readonly now: () => number;
  /** Headers known before the cost is. */
  readonly heldHeaders: () => string[];
}

/** How many abandoned answers are read on at once, over all calls. */
export interface DrainAllowance {
  take(): boolean;
  give(): void;
}

export const makeDrainAllowance = (max: number): DrainAllowance => {
  let taken = 0;
  return {
    take() {
      if (taken >= max) return false;
      taken += 1;
      return true;
    },
    give() {
      taken -= 1;
    },
  };
};

export type RelayOutcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'failed'; readonly cause: FallbackCause | null; readonly refusal: Refusal };

const ANSWERED: RelayOutcome = { kind: 'answered' };

/** A JSON answer up to this size waits for its usage (design §5). */
const WAITS_BYTES = 64 * 1024;
/** Answers up to this size are copied into the string of their head. */
const ONE_WRITE = 16 * 1024;
const DRAIN_MS = 2_000;
/** Longer and later ones are no provider's error. */
const ERROR_BYTES = 64 * 1024;
const ERROR_MS = 1_000;
const MAX_INFORMATIONAL = 16;

const NO_ANSWER: Answer = {
  model: null,
  serviceTier: null,
  usage: null,
  floor: null,
  usageFault: null,
  deliveredBytes: 0,
  complete: false,
  errored: false,
};

export class Relay implements UpstreamHandler {
  readonly #set: RelaySetting;
  readonly #resolve: (outcome: RelayOutcome) => void;
  #control: UpstreamControl | null = null;
  #head: ResponseHead | null = null;
  #meter: StreamMeter | null = null;
  readonly #redactor: Redactor | null;
  /** Of an answer that passes as it comes, once its head was sent. */
  #body: StreamBody | null = null;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #firstByteAt: number | undefined;
  #keptBytes = 0;
  /** There was no room to keep the answer: it passes unread. */
  #isUnread = false;
  #informational = 0;
  #headSent = false;
  #ended = false;
  #callerGone = false;
  #drainTimer: NodeJS.Timeout | null = null;
  /** While the words of a failure that is retried are read. */
  #errorTimer: NodeJS.Timeout | null = null;
  #drainFrom = 0;
  #isCutting = false;
  #paused = false;

  constructor(set: RelaySetting, resolve: (outcome: RelayOutcome) => void) {
    this.#set = set;
    this.#resolve = resolve;
    this.#redactor = set.secret === null ? null : makeRedactor(set.secret);
    set.res.on('close', this.#onCallerClose);
  }

  onStart(control: UpstreamControl): void {
    this.#control = control;
    if (this.#ended) control.abort();
  }

  onHead(head: ResponseHead): void {
    if (this.#ended) return;
    const { status } = head;
    if (status < 200) {
      this.#informational += 1;
      if (this.#informational > MAX_INFORMATIONAL)
        this.#fail('upstream_invalid', 'the provider sent informational answers without end', null);
      return;
    }
    this.#head = head;
    if (status >= 300 && status < 400) {
      this.#fail('upstream_redirect', 'the provider answered with a redirect, which is not followed', null);
      return;
    }
    if ((head.contentLength ?? 0) > this.#set.answerBytes) {
      this.#failAsTooLarge();
      return;
    }
    if (this.#redactor !== null && (head.contentEncoding ?? 'identity') !== 'identity') {
      this.#fail('upstream_invalid', 'the provider encoded its answer unasked, so it cannot be looked through', null);
      return;
    }
    const cause = status === 429 ? 'RateLimited' : status >= 500 ? 'ServerError' : null;
    if (cause !== null && this.#set.retryOn.includes(cause)) {
      // A provider that owns up to its failure bills nothing: its words are read before the next one is tried.
      if (cause === 'ServerError') this.#errorTimer = setTimeout(() => this.#tryNext(cause, NO_ANSWER), ERROR_MS);
      else this.#tryNext(cause, NO_ANSWER);
      return;
    }
    if (
      status < 300 &&
      (isEventStream(head) || (this.#set.isStream && this.#set.format === 'gemini-generate')) &&
      head.contentEncoding === null
    ) {
      this.#meter = makeStreamMeter(this.#set.format, { strip: this.#set.strip });
      this.#sendHead(this.#set.heldHeaders(), false);
    }
  }

  onData(chunk: Buffer): void {
    if (this.#ended) return;
    this.#firstByteAt ??= this.#set.now();
    this.#bytes += chunk.length;
    if (this.#bytes > this.#set.answerBytes) {
      this.#failAsTooLarge();
      return;
    }
    if (this.#errorTimer !== null) {
      if (this.#bytes > ERROR_BYTES) this.#tryNext('ServerError', NO_ANSWER);
      else this.#chunks.push(Buffer.from(chunk));
      return;
    }
    if (this.#meter === null) this.#keep(chunk);
    else this.#pass(this.#meter, chunk);
    if (this.#callerGone && this.#answerBytes() - this.#drainFrom > this.#set.drainBytes) this.#cutSoon();
  }

  onEnd(): void {
    if (this.#ended) return;
    const status = this.#head?.status ?? 502;
    if (this.#errorTimer !== null) {
      this.#tryNext('ServerError', this.#readKept());
      return;
    }
    if (this.#meter !== null) {
      const rest = this.#held(this.#meter.end());
      this.#end({ how: 'answered', status, answer: this.#meter.answer() });
      if (!this.#callerGone) this.#body?.end(rest.length === 0 ? undefined : Buffer.concat(rest));
    } else {
      const body = this.#keptBody();
      const added = this.#end({ how: 'answered', status, answer: this.#readKept() });
      if (!this.#callerGone) this.#sendWhole(body, added);
    }
    this.#finish(ANSWERED);
  }

  onFault(fault: UpstreamFault): void {
    if (this.#ended) return;
    if (this.#errorTimer !== null) {
      this.#tryNext('ServerError', NO_ANSWER);
      return;
    }
    switch (fault.kind) {
      case 'forbidden':
        this.#end({ how: 'unreached' });
        this.#answerRefusal(refuse('upstream_forbidden', fault.message), null);
        return;
      case 'unreached':
        this.#end({ how: 'unreached' });
        this.#answerRefusal(
          refuse('upstream_unreachable', `the provider could not be reached (${fault.code ?? fault.message})`),
          'ConnectError',
        );
        return;
      case 'silent':
        this.#fail('upstream_timeout', 'the provider did not answer in time', 'Timeout');
        return;
      case 'expired':
        this.#fail('upstream_timeout', 'the call took longer than it may', null);
        return;
      case 'invalid':
        this.#fail('upstream_invalid', 'the provider sent what is no valid HTTP', null);
        return;
      case 'broken':
        this.#fail(
          'upstream_unreachable',
          'the connection to the provider broke before the answer was complete',
          'ConnectError',
        );
        return;
      default:
        fault.kind satisfies never;
    }
  }

  #pass(meter: StreamMeter, chunk: Buffer): void {
    const metered = meter.push(chunk);
    const out = this.#redactor === null ? metered : this.#redactor.push(metered);
    if (out.length > 0) this.#write(out);
  }

  /** The last of an answer, with what the redactor still holds. */
  #held(rest: Buffer): Buffer[] {
    const pieces = this.#redactor === null ? [rest] : [this.#redactor.push(rest), this.#redactor.end()];
    return pieces.filter(({ length }) => length > 0);
  }

  #keep(chunk: Buffer): void {
    if (!this.#isUnread && this.#set.kept.take(chunk.length)) {
      this.#keptBytes += chunk.length;
      // A copy: the next read takes the memory that it is in.
      this.#chunks.push(Buffer.from(chunk));
      if (this.#headSent) this.#write(chunk);
      // An answer that may hold our key is always looked at whole.
      else if (this.#bytes > WAITS_BYTES && this.#redactor === null && !this.#callerGone) this.#sendKept();
      return;
    }
    if (this.#redactor !== null) {
      this.#fail('busy', 'too many large answers are in memory at once', null);
      return;
    }
    if (!this.#headSent && !this.#callerGone) this.#sendKept();
    this.#isUnread = true;
    this.#drop();
    this.#write(chunk);
  }

  #sendKept(): void {
    this.#sendHead(this.#set.heldHeaders(), true);
    for (const each of this.#chunks) this.#write(each);
  }

  #drop(): void {
    this.#chunks = [];
    this.#set.kept.give(this.#keptBytes);
    this.#keptBytes = 0;
  }

  #write(chunk: Buffer): void {
    if (this.#callerGone) return;
    if (this.#body?.write(chunk) === false && !this.#paused) {
      this.#paused = true;
      this.#control?.pause();
      this.#body.onceDrained(this.#onDrain);
    }
  }

  readonly #onDrain = (): void => {
    this.#paused = false;
    if (!this.#ended) this.#control?.resume();
  };

  readonly #onCallerClose = (): void => {
    if (this.#ended) return;
    this.#callerGone = true;
    this.#drainFrom = this.#answerBytes();
    if (this.#set.onDisconnect === 'Cancel' || !this.#set.drain.take()) {
      this.#cut();
      return;
    }
    this.#drainTimer = setTimeout(() => {
      this.#cutSoon();
    }, DRAIN_MS);
    if (this.#paused) this.#onDrain();
  };

  /** What the provider bills by. */
  #answerBytes(): number {
    return this.#meter?.answer().deliveredBytes ?? this.#bytes;
  }

  /** What lies ready is read first: after a stall that may be much, with the usage at its end, and all of it is billed. */
  #cutSoon(): void {
    if (this.#isCutting) return;
    this.#isCutting = true;
    setImmediate(() => this.#cut());
  }

  /** Stops reading for a caller who left. */
  #cut(): void {
    if (this.#ended) return;
    this.#end({ how: 'abandoned', stream: this.#meter !== null, answer: this.#meter?.answer() ?? null });
    this.#control?.abort();
    this.#finish(ANSWERED);
  }

  #sendHead(added: string[], keepLength: boolean): void {
    const headers = this.#cleanHeaders();
    const length = this.#head?.contentLength ?? null;
    if (keepLength && length !== null) headers.push('content-length', String(length));
    headers.push(...added);
    this.#headSent = true;
    this.#set.res.writeHead(this.#head?.status ?? 502, headers);
    this.#body = makeStreamBody(this.#set.res, this.#set.turn);
  }

  #sendWhole(body: Buffer, added: string[]): void {
    const { res } = this.#set;
    if (this.#headSent) {
      this.#body?.end();
      return;
    }
    const clean = this.#redactor === null ? body : Buffer.concat(this.#held(body));
    const headers = this.#cleanHeaders();
    headers.push(...added, 'content-length', String(clean.length));
    this.#headSent = true;
    res.writeHead(this.#head?.status ?? 502, headers);
    // Not behind a cork: Node's `end` undoes all of them.
    this.#set.turn.atEnd(() => {
      // As one string head and body are one write.
      if (clean.length <= ONE_WRITE) res.end(clean.toString('latin1'), 'latin1');
      else res.end(clean);
    });
  }

  #cleanHeaders(): string[] {
    const headers = answerHeaders(this.#head?.headers ?? []);
    const redactor = this.#redactor;
    return redactor === null ? headers : headers.map((text) => redactor.text(text));
  }

  #keptBody(): Buffer {
    return this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
  }

  #readKept(): Answer {
    const isReadable = this.#head?.contentEncoding === null && !this.#isUnread;
    return isReadable ? readAnswer(this.#set.format, this.#keptBody()) : NO_ANSWER;
  }

  /** The caller hears nothing of this answer. */
  #tryNext(cause: FallbackCause, answer: Answer): void {
    const status = this.#head?.status ?? 502;
    this.#end({ how: 'answered', status, answer });
    this.#control?.abort();
    this.#finish({
      kind: 'failed',
      cause,
      refusal: refuse('upstream_unreachable', `the provider answered ${String(status)}`),
    });
  }

  #failAsTooLarge(): void {
    this.#fail('upstream_too_large', `the answer is larger than ${String(this.#set.answerBytes)} bytes`, null);
  }

  #fail(code: RefusalCode, message: string, cause: FallbackCause | null): void {
    this.#end({ how: 'failed', answer: this.#meter?.answer() ?? null });
    this.#control?.abort();
    this.#answerRefusal(refuse(code, message), cause);
  }

  /** Before the head was sent the caller gets a proper answer; after it, the stream's own way to say that it broke. */
  #answerRefusal(refusal: Refusal, cause: FallbackCause | null): void {
    if (this.#callerGone || this.#headSent) {
      const { res, format } = this.#set;
      if (!this.#callerGone) {
        if (this.#meter !== null)
          this.#body?.end(Buffer.from(renderStreamEnd(format, { code: refusal.code, message: refusal.message })));
        else res.destroy();
      }
      this.#finish(ANSWERED);
      return;
    }
    this.#finish({
      kind: 'failed',
      cause: cause !== null && this.#set.retryOn.includes(cause) ? cause : null,
      refusal,
    });
  }

  #end(ending: Ending): string[] {
    this.#ended = true;
    this.#drop();
    if (this.#errorTimer !== null) clearTimeout(this.#errorTimer);
    this.#errorTimer = null;
    if (this.#drainTimer !== null) {
      clearTimeout(this.#drainTimer);
      this.#set.drain.give();
      this.#drainTimer = null;
    }
    return this.#set.onEnding(ending, { status: this.#head?.status ?? null, firstByteAt: this.#firstByteAt });
  }

  #finish(outcome: RelayOutcome): void {
    this.#set.res.off('close', this.#onCallerClose);
    if (this.#paused) this.#body?.offDrained(this.#onDrain);
    this.#resolve(outcome);
  }
}

const isEventStream = ({ contentType }: ResponseHead): boolean => contentType?.startsWith('text/event-stream') === true;
