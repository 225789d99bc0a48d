import type { SpoolDisk, SpoolFile } from './spool-disk.ts';

/** A disk in memory. Its files outlive its handles, as a real disk's outlive the process. */
export interface MemoryDisk extends SpoolDisk {
  readonly files: Map<string, MemoryFile>;
}

export interface MemoryFile {
  /** The first `length` bytes are the file. */
  bytes: Buffer;
  length: number;
}

export const makeMemoryDisk = (files = new Map<string, MemoryFile>()): MemoryDisk => ({
  files,
  open: (name) => {
    const file = files.get(name) ?? { bytes: Buffer.alloc(0), length: 0 };
    files.set(name, file);
    return handleOf(file, files);
  },
  names: () => [...files.keys()],
  rename: (from, to) => {
    const file = files.get(from);
    if (file === undefined) throw new Error(`no such file: ${from}`);
    files.delete(from);
    files.set(to, file);
  },
  remove: (name) => void files.delete(name),
  room: () => null,
  renew: () => undefined,
  close: () => undefined,
});

const handleOf = (file: MemoryFile, files: ReadonlyMap<string, MemoryFile>): SpoolFile => ({
  read: () => Buffer.from(file.bytes.subarray(0, file.length)),
  readAt: (at, length) => {
    if (at + length > file.length) throw new RangeError('beyond the end of the file');
    return Buffer.from(file.bytes.subarray(at, at + length));
  },
  append: (more) => {
    const length = file.length + more.length;
    if (length > file.bytes.length) file.bytes = Buffer.concat([file.bytes.subarray(0, file.length)], length * 2);
    file.bytes.set(more, file.length);
    file.length = length;
  },
  truncate: (length) => {
    file.length = Math.min(file.length, length);
  },
  isThere: () => [...files.values()].includes(file),
  close: () => undefined,
});
