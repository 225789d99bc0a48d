/** The loop of one controller: keys come in, `reconcile` runs on each, and what failed comes again later. */

/**
 * Makes what the key names be as it should be, whatever happened: it is told that something changed, never what. It reads
 * the state anew each time, gives up when the signal aborts, and throws where it could not finish.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined>;

export interface ReconcileResult {
  /** Look again after so many milliseconds, though nothing changes. */
  readonly requeueAfterMs?: number;
}

export interface Controller {
  /** At once, or after some milliseconds. A key that waits already is not doubled; the earlier time counts. */
  enqueue(key: string, afterMs?: number): void;
  /** Keys that came before wait until here. */
  start(): void;
  /**
   * Starts nothing more, lets what runs finish, and aborts what still does so after `graceMs` (20,000 unless said
   * otherwise). Resolves when nothing runs any more, or has ignored the abort.
   */
  stop(graceMs?: number): Promise<void>;
}
