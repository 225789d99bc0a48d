/** One `serve` per state directory: a lock file that names its owner, and is taken over when that owner is dead. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../error-code.ts';
import { StandaloneError } from '../standalone-error.ts';

export const LOCK_FILE = 'serve.lock';
/** The takeover itself lasts milliseconds; a guard older than this was left by a crash. */
const GUARD_STALE_MS = 5000;

export interface LockOwner {
  readonly pid: number;
  /** Tells a live owner from a stranger that got its pid later; empty where the system does not say. */
  readonly born: string;
}

/** Takes the lock or throws a StandaloneError that names the owner's pid. Returns its release. */
export const lockState = (dir: string, now: () => number, pid = process.pid): (() => void) => {
  const path = join(dir, LOCK_FILE);
  const mine = JSON.stringify({ pid, born: bornOf(pid) } satisfies LockOwner);
  if (!writeNew(path, mine)) takeOver(dir, path, mine, now());
  return () => {
    if (readText(path) === mine) rmSync(path, { force: true });
  };
};

const takeOver = (dir: string, path: string, mine: string, now: number): void => {
  refuseIfAlive(dir, readOwner(path));
  const guard = `${path}.takeover`;
  // Two takers at once: only one makes the guard, and it looks at the owner again under it.
  if (!writeNew(guard, mine)) {
    if (now - statSync(guard).mtimeMs < GUARD_STALE_MS) throw busy(dir, null);
    rmSync(guard, { force: true });
    if (!writeNew(guard, mine)) throw busy(dir, null);
  }
  try {
    refuseIfAlive(dir, readOwner(path));
    writeFileSync(`${path}.new`, mine, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } finally {
    rmSync(guard, { force: true });
  }
};

const refuseIfAlive = (dir: string, owner: LockOwner | null): void => {
  if (owner !== null && isAlive(owner)) throw busy(dir, owner.pid);
};

const busy = (dir: string, pid: number | null): StandaloneError =>
  new StandaloneError(
    'state-in-use',
    `the state directory ${dir} is in use by ${pid === null ? 'another start' : `process ${pid}`}`,
    {
      todo: 'stop that one first, or give this one its own with --state DIR',
    },
  );

const isAlive = ({ pid, born }: LockOwner): boolean => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: alive, and somebody else's.
    if (errorCode(error) !== 'EPERM') return false;
  }
  // Killed, and not yet waited for by its parent: it has a pid still, and will never do anything again.
  if (/^[ZX]$/.test(statFields(pid)[0] ?? '')) return false;
  return born === '' || bornOf(pid) === born;
};

/** Field 22: the start time in ticks since boot. */
const bornOf = (pid: number): string => statFields(pid)[19] ?? '';

/** Fields 3 and up of /proc/PID/stat. The command before them, which may hold anything, ends at the last `)`. */
const statFields = (pid: number): readonly string[] => {
  const stat = readText(`/proc/${pid}/stat`);
  return stat === null ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

const readOwner = (path: string): LockOwner | null => {
  try {
    const value: unknown = JSON.parse(readText(path) ?? '');
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number') return null;
    return { pid: value.pid, born: 'born' in value && typeof value.born === 'string' ? value.born : '' };
  } catch {
    // Torn by a crash while it was written: nobody holds it.
    return null;
  }
};

const readText = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

const writeNew = (path: string, text: string): boolean => {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
};
