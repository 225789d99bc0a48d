/** Runs the wrapped command with this process's own terminal, and hands signals on. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CliError } from '../cli-error.ts';
import type { SignalSource } from '../io.ts';

export interface RunCommandOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signals: SignalSource;
  readonly hasTerminal: boolean;
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** A terminal has sent these to the command already: a second one would mean "at once" to many programs. */
const FROM_TERMINAL: readonly string[] = ['SIGINT', 'SIGQUIT'];

/** Resolves to its exit code, as a shell counts: 128 + n for signal n, 127 not found, 126 not executable. */
export const runCommand = async ({ command, env, signals, hasTerminal }: RunCommandOptions): Promise<number> => {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env: { ...env }, stdio: 'inherit' });
  const listeners = FORWARDED.map((signal) => ({
    signal,
    listener: () => {
      if (!(hasTerminal && FROM_TERMINAL.includes(signal))) child.kill(signal);
    },
  }));
  for (const { signal, listener } of listeners) signals.on(signal, listener);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (cause: NodeJS.ErrnoException) => reject(notStarted(program, cause)));
      child.once('close', (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
    });
  } finally {
    for (const { signal, listener } of listeners) signals.off(signal, listener);
  }
};

const notStarted = (program: string, cause: NodeJS.ErrnoException): CliError =>
  new CliError(
    `${program}: ${cause.code === 'ENOENT' ? 'command not found' : `cannot be run (${cause.code ?? cause.message})`}`,
    {
      todo: 'write the command and its arguments after --, as in: tollgate wrap --budget 2usd -- node agent.mjs',
      exitCode: cause.code === 'ENOENT' ? 127 : 126,
      cause,
    },
  );
