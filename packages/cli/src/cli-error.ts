/** What went wrong in one line and what to do in another, with the exit code that scripts can rely on. */
export const EXIT = {
  /** Anything without a code of its own. */
  failed: 1,
  /** EX_USAGE: the command line, a setting or a manifest. */
  usage: 64,
  /** EX_UNAVAILABLE: the server does not answer. */
  unavailable: 69,
} as const;

export class CliError extends Error {
  readonly exitCode: number;
  readonly todo: string;

  constructor(
    message: string,
    { todo, exitCode = EXIT.failed, cause }: { todo: string; exitCode?: number; cause?: unknown },
  ) {
    super(message, { cause });
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.todo = todo;
  }
}

/** By name: the commands for clusters are a bundle of their own, in which the class is another one. */
export const isCliError = (error: unknown): error is CliError => error instanceof Error && error.name === 'CliError';
