/** Runs one command line and turns every way it can end into an exit code. The only place that prints errors. */
import { CommanderError } from 'commander';
import { EXIT, isCliError } from './cli-error.ts';
import { CommandExit } from './command-exit.ts';
import type { Io } from './io.ts';
import { buildProgram } from './program.ts';

/** `argv` without the program's own name. Resolves to the exit code; never throws. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const program = buildProgram(io);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommandExit) return error.exitCode;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    const { message, todo, exitCode } = await explainError(error);
    io.stderr(`tollgate: ${message}\n`);
    if (todo !== null) io.stderr(`  ${todo}\n`);
    if (program.opts<{ debug?: boolean }>().debug === true) io.stderr(`${stackOf(error)}\n`);
    else if (todo === null) io.stderr('  run it again with --debug for the details\n');
    return exitCode;
  }
};

const explainError = async (error: unknown): Promise<{ message: string; todo: string | null; exitCode: number }> => {
  if (isCliError(error)) return error;
  const { StandaloneError } = await import('@tollgate/standalone/error');
  if (error instanceof StandaloneError) {
    return {
      message: error.message,
      todo: error.todo,
      exitCode: error.code === 'child-failed' ? EXIT.failed : EXIT.usage,
    };
  }
  return { message: error instanceof Error ? error.message : String(error), todo: null, exitCode: EXIT.failed };
};

const stackOf = (error: unknown): string => {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return error instanceof Error && error.cause !== undefined ? `${stack}\ncaused by: ${stackOf(error.cause)}` : stack;
};
