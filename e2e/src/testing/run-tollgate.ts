/** The `tollgate` command as a process of its own, run from source, with nothing of this one's environment. */
import { spawn } from 'node:child_process';
import { SOURCE_PROGRAMS, ROOT } from './programs.ts';

export interface RunningTollgate {
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves once what was printed (stdout, then stderr) matches; rejects if the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Asks it to end, and after a while no longer asks. */
  stop(): Promise<number | null>;
  readonly ended: Promise<number | null>;
}

const PATIENCE_MS = 30_000;

export const runTollgate = (args: readonly string[], env: Readonly<Record<string, string>>): RunningTollgate => {
  const [executable = '', ...source] = SOURCE_PROGRAMS.tollgate;
  const child = spawn(executable, [...source, ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { out: '', err: '' };
  const watchers = new Set<() => void>();
  for (const name of ['out', 'err'] as const) {
    child[`std${name}`].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
      for (const look of watchers) look();
    });
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  return {
    out: () => printed.out,
    err: () => printed.err,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(printed.out + printed.err);
          if (match === null) return;
          watchers.delete(look);
          resolve(match);
        };
        watchers.add(look);
        look();
        void ended.then((code) =>
          reject(new Error(`ended with ${String(code)} before ${String(pattern)}:\n${printed.err}`)),
        );
      }),
    stop: async () => {
      child.kill('SIGTERM');
      const last = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      const code = await ended;
      clearTimeout(last);
      return code;
    },
    ended,
  };
};
