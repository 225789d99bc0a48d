import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { lockFolder, type FolderLock } from './folder-lock.ts';
import { makeFolder } from './make-folder.ts';
import type { SpoolDisk, SpoolFile } from './spool-disk.ts';

/**
 * The spool's folder on a real disk, locked for this process. Nothing is fsynced: a write that has reached the page
 * cache survives kill -9 and the OOM killer; a machine that loses power strands a lease, and creates no money.
 */
export const openFileDisk = (folder: string): SpoolDisk => {
  let lock = openFolder(folder);
  return {
    open: (name) => openFile(join(folder, name)),
    names: () => readdirSync(folder),
    rename: (from, to) => {
      renameSync(join(folder, from), join(folder, to));
    },
    remove: (name) => {
      rmSync(join(folder, name), { force: true });
    },
    room: () => roomAt(folder),
    renew: () => {
      if (!lock.isHeld()) lock = openFolder(folder);
    },
    close: () => {
      lock.release();
    },
  };
};

/** Null where the file system does not say: some of those in user space have no blocks to count. */
export const roomAt = (path: string): number | null => {
  const { blocks, bavail, bsize } = statfsSync(path);
  return blocks === 0 ? null : bavail * bsize;
};

const openFolder = (folder: string): FolderLock => {
  makeFolder(folder);
  return lockFolder(folder);
};

const openFile = (path: string): SpoolFile => {
  // 'a+' appends wherever the end is, also after a truncation.
  const file = openSync(path, 'a+', 0o600);
  return {
    read: () => {
      const bytes = Buffer.alloc(fstatSync(file).size);
      return bytes.subarray(0, fill(file, bytes, 0));
    },
    readAt: (at, length) => {
      const bytes = Buffer.allocUnsafe(length);
      const got = fill(file, bytes, at);
      if (got !== length) throw new Error(`only ${String(got)} of ${String(length)} bytes could be read`);
      return bytes;
    },
    append: (bytes) => {
      const written = writeSync(file, bytes, 0, bytes.length);
      if (written !== bytes.length)
        throw new Error(`only ${String(written)} of ${String(bytes.length)} bytes were written`);
    },
    truncate: (length) => {
      ftruncateSync(file, length);
    },
    isThere: () => {
      const open = fstatSync(file);
      const named = statSync(path, { throwIfNoEntry: false });
      return named !== undefined && named.ino === open.ino && named.dev === open.dev;
    },
    close: () => {
      closeSync(file);
    },
  };
};

/** Reads until it is full or the file ends; how many bytes that were. */
const fill = (file: number, bytes: Buffer, at: number): number => {
  let filled = 0;
  while (filled < bytes.length) {
    const got = readSync(file, bytes, filled, bytes.length - filled, at + filled);
    if (got === 0) break;
    filled += got;
  }
  return filled;
};
