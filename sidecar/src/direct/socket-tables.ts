/** What the kernel lists of this network namespace's sockets, and which of them are this process's own. Linux only. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { listeningPorts, openSockets, type OpenSocket } from './proc-net-tcp.ts';

export interface SocketTables {
  readonly sockets: readonly OpenSocket[];
  /** Inodes. */
  readonly own: ReadonlySet<string>;
  readonly listening: ReadonlySet<number>;
}

export interface SocketTablesDeps {
  /** `/proc` but for tests. */
  readonly proc: string;
  readonly isLittleEndian: boolean;
}

/** Null: there are no such tables here. */
export type ReadSocketTables = () => Promise<SocketTables | null>;

export const makeReadSocketTables =
  ({ proc, isLittleEndian }: SocketTablesDeps): ReadSocketTables =>
  async () => {
    // Before and after: one of ours that was opened or closed while the tables were read is nobody else's.
    const before = await ownSockets(proc);
    const [four, six] = await Promise.all([tableOf(`${proc}/net/tcp`), tableOf(`${proc}/net/tcp6`)]);
    if (four === null && six === null) return null;
    const after = await ownSockets(proc);
    const tables = [four ?? '', six ?? ''];
    return {
      sockets: tables.flatMap((table) => openSockets(table, isLittleEndian)),
      own: new Set([...before, ...after]),
      listening: new Set(tables.flatMap(listeningPorts)),
    };
  };

const tableOf = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    // A kernel without IPv6 has no second table, and another system has neither.
    if (isMissing(error)) return null;
    throw error;
  }
};

const ownSockets = async (proc: string): Promise<readonly string[]> => {
  const names = await readdir(`${proc}/self/fd`).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const links = await Promise.all(names.map((name) => readlink(`${proc}/self/fd/${name}`).catch(() => '')));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
};

const isMissing = (error: unknown): boolean => Error.isError(error) && 'code' in error && error.code === 'ENOENT';
