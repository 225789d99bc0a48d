import type { SpoolDisk, SpoolFile } from './spool-disk.ts';

/** A disk in memory. Its files outlive its handles, as a real disk's outlive the process. */
export interface MemoryDisk extends SpoolDisk {
  readonly files: Map<string, Buffer>;
}

export const makeMemoryDisk = (files = new Map<string, Buffer>()): MemoryDisk => {
  const open = (name: string): SpoolFile => {
    const node = { name };
    nodes.push(node);
    const bytes = (): Buffer => files.get(node.name) ?? Buffer.alloc(0);
    files.set(name, bytes());
    return {
      read: () => Buffer.from(bytes()),
      append: (more) => {
        files.set(node.name, Buffer.concat([bytes(), more]));
      },
      truncate: (length) => {
        files.set(node.name, Buffer.from(bytes().subarray(0, length)));
      },
      close: () => undefined,
    };
  };
  const nodes: { name: string }[] = [];

  return {
    files,
    open,
    exists: (name) => files.has(name),
    rename: (from, to) => {
      const bytes = files.get(from);
      if (bytes === undefined) throw new Error(`no such file: ${from}`);
      files.delete(from);
      files.set(to, bytes);
      for (const node of nodes) if (node.name === from) node.name = to;
    },
    close: () => undefined,
  };
};
