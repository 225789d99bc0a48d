/** A command of the system: what it prints, or an error that says what it printed. */
import { execFile, type ExecFileOptions } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
}

const MOST_BYTES = 64 * 1024 * 1024;
const LAST_WORDS = 4_000;

/** Rejects where it cannot be started or ends with anything but 0. */
export const runCommand = (
  command: string,
  args: readonly string[],
  { input, ...rest }: CommandOptions = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const options: ExecFileOptions = { ...rest, maxBuffer: MOST_BYTES };
    const child = execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(String(stdout));
      else reject(new Error(`${[command, ...args].join(' ')}\n${saidBy(error, String(stderr))}`, { cause: error }));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });

/** Whether it ends well; for questions, and for tidying up what may not be there. */
export const endsWell = (command: string, args: readonly string[], options: CommandOptions = {}): Promise<boolean> =>
  runCommand(command, args, options).then(
    () => true,
    () => false,
  );

const saidBy = (error: Error & { readonly code?: unknown }, stderr: string): string =>
  error.code === 'ENOENT' ? 'is not installed' : stderr.trim().slice(-LAST_WORDS) || error.message;
