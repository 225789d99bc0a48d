import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpoolFault } from './spool-fault.ts';

/**
 * One process a spool folder. The lock is a file that names its owner by pid and start time, since a restarted container
 * gets its old pid again. A dead owner's lock is taken over. Returns the release.
 */
export const lockFolder = (folder: string): (() => void) => {
  const path = join(folder, 'lock');
  const mine = JSON.stringify({ pid: process.pid, started: startTime(process.pid) });
  const draft = join(folder, `lock.${String(process.pid)}`);
  writeFileSync(draft, mine, { mode: 0o600 });
  try {
    // Linking fails where the name exists, and shows the whole content at once where it does not.
    if (!tryLink(draft, path)) {
      removeStale(folder, path);
      if (!tryLink(draft, path)) throw new SpoolFault('locked', 'another process took the spool folder just now');
    }
  } finally {
    unlinkSync(draft);
  }
  return () => {
    if (readLock(path) === mine) unlinkSync(path);
  };
};

const tryLink = (from: string, to: string): boolean => {
  try {
    linkSync(from, to);
    return true;
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return false;
    throw new SpoolFault('open', 'cannot lock the spool folder', { cause });
  }
};

const removeStale = (folder: string, path: string): void => {
  const seen = readLock(path);
  if (seen === null) return;
  if (isAlive(seen)) throw new SpoolFault('locked', `the spool folder is in use by ${seen}`);
  // Moved aside before it is removed, so that of two that find it stale one removes it, and never the other's new lock.
  const aside = join(folder, `lock.stale.${String(process.pid)}`);
  try {
    renameSync(path, aside);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return;
    throw new SpoolFault('open', 'cannot take over a stale lock', { cause });
  }
  if (readLock(aside) !== seen) tryLink(aside, path);
  unlinkSync(aside);
};

const readLock = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return null;
    throw new SpoolFault('open', 'cannot read the lock of the spool folder', { cause });
  }
};

/** A lock that says nothing readable was written by nobody that is alive: whole contents appear at once. */
const isAlive = (lock: string): boolean => {
  const match = /^\{"pid":([0-9]{1,10}),"started":("[0-9]{1,20}"|null)\}$/.exec(lock);
  if (!match) return false;
  const pid = Number(match[1]);
  if (!exists(pid)) return false;
  const started = match[2] === 'null' ? null : (match[2] ?? '').slice(1, -1);
  // Where start times cannot be read, the same pid as ours is our own former life.
  return started === null ? pid !== process.pid : started === startTime(pid);
};

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return hasCode(cause, 'EPERM');
  }
};

/** Clock ticks since boot at which the process started: field 22 of `/proc/<pid>/stat`, counted after the name in brackets. */
const startTime = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
};

const hasCode = (fault: unknown, code: string): boolean =>
  typeof fault === 'object' && fault !== null && 'code' in fault && fault.code === code;
