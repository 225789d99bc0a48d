import { readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SpoolFault } from './spool-fault.ts';

export interface FolderLock {
  /** False once the folder, or the lock in it, is gone or another's. */
  isHeld(): boolean;
  release(): void;
}

/**
 * One process a spool folder. The lock is a symbolic link whose target names the owner by pid and start time, since a
 * restarted container gets its old pid again: made in one step, whole at once, and on a full disk too. A dead owner's
 * lock is taken over.
 */
export const lockFolder = (folder: string): FolderLock => {
  const path = join(folder, 'lock');
  const mine = JSON.stringify({ pid: process.pid, started: startTime(process.pid) });
  if (!tryLink(mine, path)) {
    removeStale(folder, path);
    if (!tryLink(mine, path)) throw new SpoolFault('locked', 'another process took the spool folder just now');
  }
  const isHeld = (): boolean => readLock(path) === mine;
  return {
    isHeld,
    release: () => {
      if (isHeld()) unlinkSync(path);
    },
  };
};

const tryLink = (owner: string, path: string): boolean => {
  try {
    symlinkSync(owner, path);
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
  const moved = readLock(aside);
  if (moved !== null && moved !== seen) tryLink(moved, path);
  unlinkSync(aside);
};

const readLock = (path: string): string | null => {
  try {
    return readlinkSync(path);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return null;
    // A file: how earlier versions wrote it.
    if (hasCode(cause, 'EINVAL')) return readFileSync(path, 'utf8');
    throw new SpoolFault('open', 'cannot read the lock of the spool folder', { cause });
  }
};

/** A lock that says nothing readable was written by nobody that is alive: whole contents appear at once. */
const isAlive = (lock: string): boolean => {
  const match = /^\{"pid":([0-9]{1,10}),"started":("[0-9]{1,20}"|null)\}$/.exec(lock);
  if (!match) return false;
  const pid = Number(match[1]);
  if (!exists(pid) || hasEnded(pid)) return false;
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

/** Killed, and not yet waited for by its parent: it has a pid still, and will never do anything again. */
const hasEnded = (pid: number): boolean => /^[ZX]$/.test(statFields(pid)[0] ?? '');

/** Clock ticks since boot at which the process started: field 22. */
const startTime = (pid: number): string | null => statFields(pid)[19] ?? null;

/** Fields 3 and up of `/proc/<pid>/stat`, counted after the name in brackets; none where it cannot be read. */
const statFields = (pid: number): readonly string[] => {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
};

const hasCode = (fault: unknown, code: string): boolean =>
  typeof fault === 'object' && fault !== null && 'code' in fault && fault.code === code;
