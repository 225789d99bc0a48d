/** Everything a command touches outside of itself; `main.ts` makes it from the process, tests from buffers. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly pid: number;
  /** Started as `kubectl-tollgate`: who says kubectl means a cluster. */
  readonly isKubectlPlugin: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** A terminal sends Ctrl-C to every process in it, not to this one alone. */
  readonly hasTerminal: boolean;
  /** Of the terminal that stdout draws on, now; 0 where what is printed cannot be drawn over. */
  readonly screenColumns: () => number;
  readonly signals: SignalSource;
  readonly exit: (code: number) => void;
  readonly programs: Programs;
}

export interface SignalSource {
  on(signal: string, listener: () => void): unknown;
  off(signal: string, listener: () => void): unknown;
}

/** Command lines of the processes that a command starts, each complete but for its own arguments. */
export interface Programs {
  readonly tollgate: readonly string[];
  readonly proxy: readonly string[];
  readonly pglite: readonly string[];
  /** Preloaded into children so that none outlives this process. */
  readonly preload: string;
}
