/** A process of the rig: all that it prints goes to a file, its ready line is read, and it dies with the rig. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';

export interface ProcessOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly cwd: string;
  readonly as?: { readonly uid: number; readonly gid: number } | null;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  isAlive(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the fields of the first line `{"msg":"ready",…}`; rejects when it ends before, or takes too long. */
  ready(withinMs: number): Promise<Readonly<Record<string, unknown>>>;
  /** SIGTERM, and SIGKILL after so many milliseconds; true = it went by itself. */
  stop(graceMs: number): Promise<boolean>;
  kill(): Promise<void>;
}

/** Enough of the last words to say why it did not start. */
const LAST_WORDS = 4_000;

export const startProcess = ({ name, command, env, logFile, cwd, as }: ProcessOptions): RunningProcess => {
  // The kernel kills it when the rig dies, however that happens; SIGSTOP does not get in the way of that.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(as ?? {}),
  });
  const log = createWriteStream(logFile, { flags: 'a' });
  let words = '';
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk);
      words = (words + chunk.toString()).slice(-LAST_WORDS);
      for (const look of watchers) look();
    });
  }
  let isOver = false;
  const exited = endOf(child).then((exit) => {
    isOver = true;
    log.end();
    for (const look of watchers) look();
    return exit;
  });
  const signal = (which: NodeJS.Signals): void => {
    if (!isOver && child.pid !== undefined) child.kill(which);
  };
  const kill = async (): Promise<void> => {
    signal('SIGKILL');
    await exited;
  };
  return {
    name,
    pid: child.pid ?? 0,
    exited,
    isAlive: () => !isOver,
    signal,
    ready: (withinMs) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void => {
          watchers.delete(look);
          clearTimeout(timer);
          reject(new Error(`${name} ${why}; its last words:\n${words}`));
        };
        const look = (): void => {
          const fields = readyFields(words);
          if (fields === null) {
            if (isOver) fail('ended before it was ready');
            return;
          }
          watchers.delete(look);
          clearTimeout(timer);
          resolve(fields);
        };
        const timer = setTimeout(() => fail(`was not ready in ${String(withinMs)} ms`), withinMs);
        watchers.add(look);
        look();
      }),
    stop: async (graceMs) => {
      signal('SIGTERM');
      let went = true;
      const timer = setTimeout(() => {
        went = false;
        signal('SIGKILL');
      }, graceMs);
      await exited;
      clearTimeout(timer);
      return went;
    },
    kill,
  };
};

const endOf = (child: ChildProcess): Promise<ProcessExit> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });

const readyFields = (text: string): Readonly<Record<string, unknown>> | null => {
  for (const line of text.split('\n')) {
    if (!line.startsWith('{') || !line.includes('"msg":"ready"') || !line.endsWith('}')) continue;
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return { ...value };
  }
  return null;
};
