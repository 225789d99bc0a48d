/** One of several processes leads: the one that keeps renewing a Lease. */

export interface LeaderElector {
  /** Contends until `stop`. */
  run(handlers: LeaderHandlers): void;
  /** By the clock, not by what was last written: false in a process that was paused for too long, even before it knows. */
  isLeading(): boolean;
  /** Ends the term, if it leads, and gives the lease back so that another one leads at once. To be called after draining. */
  stop(): Promise<void>;
}

export interface LeaderHandlers {
  /** A term begins. The signal aborts when it ends, whatever the cause. */
  onLeading(signal: AbortSignal): void;
  /** A term ended that was not given back: another may lead now, or soon will. Stop writing and exit. */
  onLost(): void;
}
