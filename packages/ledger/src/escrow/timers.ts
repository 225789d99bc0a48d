/** Timers are an argument, so that tests and the simulator own the time. */
export interface Timers {
  /** Calls `act` once after `ms`; the answer cancels it. */
  after(ms: number, act: () => void): CancelTimer;
}

export type CancelTimer = () => void;
