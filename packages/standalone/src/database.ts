/** The store's database: the one that was named, or PGlite in a child process. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './process/child-process.ts';
import type { Child } from './process/child-process.ts';

export interface PgliteOptions {
  /** `[executable, ...arguments]`; the data directory and the socket's path are added. */
  readonly command: readonly string[];
  /** A folder, or `memory` for a database that dies with the process. */
  readonly dataDir: string;
  /** Where an empty cluster is kept for the next first start; null: nowhere. */
  readonly templates: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onLine: (line: string) => void;
}

export interface Database {
  readonly connectionString: string;
  /** Settles when the database has gone; never, for one that is not ours. */
  readonly gone: Promise<unknown>;
  close(graceMs: number): Promise<void>;
}

/** First boot of a folder makes the cluster: 2.3 s on 2 cores, 0.4 s later (measured); a busy machine takes many times that. */
const READY_MS = 90_000;

export const startPglite = async ({ command, dataDir, templates, env, onLine }: PgliteOptions): Promise<Database> => {
  // A socket's path has at most 107 bytes, which a state directory may exceed. Mode 0700: PGlite asks for no password.
  const socketDir = mkdtempSync(join(tmpdir(), 'tollgate-'));
  const release = (): void => rmSync(socketDir, { recursive: true, force: true });
  const inMemory = dataDir === 'memory';
  if (!inMemory) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  let child: Child;
  try {
    child = await startChild({
      name: 'database',
      command: [...command, inMemory ? 'memory://' : dataDir, join(socketDir, '.s.PGSQL.5432'), templates ?? ''],
      env,
      onLine,
      readyMs: READY_MS,
    });
  } catch (error) {
    release();
    throw error;
  }
  return {
    connectionString: `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(socketDir)}`,
    gone: child.exited,
    close: async (graceMs) => {
      await child.stop(graceMs);
      release();
    },
  };
};

export const namedDatabase = (connectionString: string): Database => ({
  connectionString,
  gone: new Promise(() => undefined),
  close: () => Promise.resolve(),
});
