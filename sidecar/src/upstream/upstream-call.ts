/** What the transport is told of one request, and what it tells. */
import type { ResponseHead } from './response-head.ts';
import type { UpstreamFault } from './upstream-fault.ts';

export interface UpstreamRequest {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  /** One after the other; together they are the body. */
  readonly body: readonly Buffer[];
  /** Milliseconds to the answer's head, between two pieces of its body, and for all of it. */
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly callMs: number;
}

/** Hears of one request: `onStart` first, then heads and bytes as they come, and at last either `onEnd` or `onFault`. */
export interface UpstreamHandler {
  onStart(control: UpstreamControl): void;
  /** Informational answers as well. */
  onHead(head: ResponseHead): void;
  /** The bytes are good until it returns. */
  onData(bytes: Buffer): void;
  onEnd(): void;
  onFault(fault: UpstreamFault): void;
}

export interface UpstreamControl {
  /** Nothing is heard of it any more. */
  abort(): void;
  pause(): void;
  resume(): void;
}
