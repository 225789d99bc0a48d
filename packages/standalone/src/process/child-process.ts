/** A child process that says `{"msg":"ready"}` on its stdout, lives no longer than its parent, and stops when told. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { monotonicClock } from '@tollgate/runtime';
import { StandaloneError } from '../standalone-error.ts';

export interface ChildProgram {
  /** `[executable, ...arguments]` */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface ChildOptions extends ChildProgram {
  /** As messages call it: `proxy`, `database`, `mock provider`. */
  readonly name: string;
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void;
  readonly readyMs: number;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** The ready line's fields. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly exited: Promise<ChildExit>;
  /** SIGTERM, and SIGKILL when `graceMs` have passed. */
  stop(graceMs: number): Promise<void>;
}

/** Enough of the last words to say why a child did not start. */
const LAST_WORDS = 12;

/** Resolves when the child is ready; throws a StandaloneError with its last words when it is not. */
export const startChild = async ({ name, command, env, onLine, readyMs }: ChildOptions): Promise<Child> => {
  const [executable = '', ...args] = command;
  const startedAt = monotonicClock();
  const child = spawn(executable, args, {
    env: { ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own group: Ctrl-C in a terminal reaches this process alone, which then stops its children in order.
    detached: true,
  });
  // The child reads this pipe only to notice its end, which comes even when this process is killed.
  child.stdin.on('error', () => undefined);
  const words: string[] = [];
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (cause) => reject(failure(name, `cannot be started: ${cause.message}`, words, cause)));
    void exited.then(({ code, signal }) =>
      reject(failure(name, `ended ${signal ?? `with code ${code}`} before it was ready`, words)),
    );
  });
  failed.catch(() => undefined);
  const ready = new Promise<Readonly<Record<string, unknown>>>((resolve) => {
    const take = (stream: 'stdout' | 'stderr') => (line: string) => {
      const fields = stream === 'stdout' ? readyLine(line) : null;
      if (fields !== null) return resolve(fields);
      words.push(line);
      if (words.length > LAST_WORDS) words.shift();
      onLine(line, stream);
    };
    createInterface({ input: child.stdout }).on('line', take('stdout'));
    createInterface({ input: child.stderr }).on('line', take('stderr'));
  });

  const stop = async (graceMs: number): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(timer);
  };

  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seconds = Math.round((monotonicClock() - startedAt) / 1000);
      reject(failure(name, `was not ready after ${seconds} s`, words));
    }, readyMs);
  });
  try {
    const fields = await Promise.race([ready, failed, late]);
    return { pid: child.pid ?? 0, ready: fields, exited, stop };
  } catch (error) {
    await stop(1000);
    throw error;
  } finally {
    clearTimeout(timer);
  }
};

const failure = (name: string, what: string, words: readonly string[], cause?: unknown): StandaloneError =>
  new StandaloneError('child-failed', `the ${name} ${what}`, {
    todo:
      words.length === 0
        ? 'it said nothing; run again with --verbose'
        : `its last words:\n${words.map((w) => `    ${w}`).join('\n')}`,
    cause,
  });

/** `{"msg":"ready",…}`; any other line is null. */
const readyLine = (line: string): Readonly<Record<string, unknown>> | null => {
  if (!line.startsWith('{') || !line.includes('"ready"')) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'msg' in value && value.msg === 'ready' ? { ...value } : null;
  } catch {
    return null;
  }
};
