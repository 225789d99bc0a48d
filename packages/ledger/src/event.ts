import type { Subject } from '@tollgate/api';
import type { Usage } from '@tollgate/metering';
import type { CounterName } from './counter.ts';

/**
 * How an attempt was settled.
 * `usage`: by the provider's figures. `estimated`: by a local count. `hold`: at the hold, since nothing better is known.
 * `abandoned`: the caller left and the drain was cut. `interrupted`: the proxy died with the attempt open.
 * `void`: nothing was sent or nothing was billed (connection refused, 4xx without usage).
 */
export type SettleKind = 'usage' | 'estimated' | 'hold' | 'abandoned' | 'interrupted' | 'void';

/** The format of a call on a path that is not metered. */
export const UNMETERED = 'unmetered';

export interface CounterCharge extends CounterName {
  readonly windowId: string;
  readonly epoch: string;
  readonly held: bigint;
  readonly charged: bigint;
  /** Audit only: this counter would have refused the call. */
  readonly wouldRefuse?: boolean;
}

/** What `explain` prints of the row that priced a charge. */
export interface EventPrice {
  /** `provider/model`. */
  readonly model: string;
  readonly source: string;
  readonly date: string;
  /**
   * By kind of usage: nano-USD per million tokens, or per piece, as decimal text: shown, never summed. Of the kinds that
   * were used; absent where nothing has been used yet.
   */
  readonly rates?: Readonly<Record<string, string>>;
}

/** One row a billed attempt, from day one (design §4.10). Times are milliseconds UTC, for reports only: no safety rests on them. */
export interface LedgerEvent {
  /** (instance, seq) is the id: unique, made before the effect, the key of idempotent ingest. */
  readonly instance: string;
  readonly seq: number;
  /** The call's public id, as in `x-tollgate-request-id`. */
  readonly requestId: string;
  readonly attempt: number;
  readonly subject: Subject;
  readonly user: string | null;
  readonly promptId: string | null;
  readonly promptVersion: string | null;
  readonly route: string | null;
  readonly backend: string | null;
  readonly provider: string;
  readonly format: string;
  readonly modelAsked: string | null;
  readonly modelSent: string | null;
  readonly modelAnswered: string | null;
  readonly usage: Usage;
  readonly settle: SettleKind;
  /** Nano-USD. */
  readonly held: bigint;
  readonly charged: bigint;
  readonly priceVersion: string | null;
  readonly priceRow: EventPrice | null;
  /** Let through though its cost could not be bounded. */
  readonly unproven: boolean;
  readonly stream: boolean;
  readonly status: number | null;
  readonly startedAt: number;
  readonly endedAt: number;
  /** When the first byte of the answer's body came; absent: none did, or the proxy is of an earlier version. */
  readonly firstByteAt?: number | undefined;
  readonly counters: readonly CounterCharge[];
}
