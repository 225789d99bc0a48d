/** A server of a test's control plane: what it prints goes to a file, and the kernel ends it when this process dies. */
import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  isAlive(): boolean;
  /** Resolves when it has ended; rejects where it could not be started. */
  readonly ended: Promise<void>;
  /** SIGKILL, and waits for the end: what it holds is thrown away. */
  kill(): Promise<void>;
  /** The end of what it printed, to say why it did not start. */
  lastWords(): Promise<string>;
}

const LAST_WORDS = 3_000;

export const startServerProcess = (
  name: string,
  program: string,
  args: readonly string[],
  logFile: string,
): ServerProcess => {
  const log = openSync(logFile, 'a');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], { stdio: ['ignore', log, log] });
  closeSync(log);
  let isOver = false;
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      isOver = true;
      reject(new Error(`${name} could not be started: install util-linux for setpriv`, { cause }));
    });
    child.once('exit', () => {
      isOver = true;
      resolve();
    });
  });
  // Whoever waits is told; that nobody waits is no fault of its own.
  ended.catch(() => undefined);
  return {
    name,
    pid: child.pid ?? 0,
    isAlive: () => !isOver,
    ended,
    kill: async () => {
      if (!isOver) child.kill('SIGKILL');
      await ended;
    },
    lastWords: async () => (await readFile(logFile, 'utf8')).slice(-LAST_WORDS),
  };
};
