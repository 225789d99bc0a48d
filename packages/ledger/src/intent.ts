import type { CounterCharge, LedgerEvent } from './event.ts';

/** Every field of an event that is known before its attempt is sent. `held` is the attempt's whole bound in nano-USD. */
export type EventHead = Pick<
  LedgerEvent,
  | 'requestId'
  | 'attempt'
  | 'subject'
  | 'user'
  | 'promptId'
  | 'promptVersion'
  | 'route'
  | 'backend'
  | 'provider'
  | 'format'
  | 'modelAsked'
  | 'modelSent'
  | 'held'
  | 'priceVersion'
  | 'priceRow'
  | 'unproven'
  | 'stream'
  | 'startedAt'
>;

/** What an attempt holds of one counter; `windowId` and `epoch` are empty where no lease stands behind it. */
export type CounterHold = Omit<CounterCharge, 'charged'>;

/**
 * Written down before an attempt's first byte: if nothing else is ever heard of (instance, seq), this much was spent.
 */
export interface Intent {
  readonly instance: string;
  readonly seq: number;
  readonly head: EventHead;
  readonly counters: readonly CounterHold[];
}
