/** SIGTERM and SIGINT stop the process in order; a second one ends it at once. */

export const STOP_SIGNALS = [
  { signal: 'SIGTERM', reason: 'asked to stop', exitCode: 143 },
  { signal: 'SIGINT', reason: 'interrupted from the terminal', exitCode: 130 },
] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];

/** The part of `process` that is needed. */
export interface SignalSource {
  on(signal: string, listener: () => void): unknown;
  off(signal: string, listener: () => void): unknown;
}

export interface StopHandlers {
  /** Called once, for the first signal. */
  stop(signal: StopSignal): void;
  /** Called for each further signal: the caller does not want to wait. Exit with `signal.exitCode`. */
  force(signal: StopSignal): void;
}

/** Listens until the returned function is called. */
export const onStopSignals = (source: SignalSource, { stop, force }: StopHandlers): (() => void) => {
  let stopping = false;
  const listeners = STOP_SIGNALS.map((entry) => ({
    signal: entry.signal,
    listener: () => {
      if (stopping) return force(entry);
      stopping = true;
      return stop(entry);
    },
  }));
  for (const { signal, listener } of listeners) source.on(signal, listener);
  return () => {
    for (const { signal, listener } of listeners) source.off(signal, listener);
  };
};
