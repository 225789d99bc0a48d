/** An Io that keeps what was printed and sends signals on demand; children run from source. */
import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Io } from '../io.ts';
import { run } from '../run.ts';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const SOURCE = [process.execPath, '--conditions=source', '--disable-warning=ExperimentalWarning'];

export interface TestIo extends Io {
  out(): string;
  err(): string;
  signal(name: string): void;
  /** Runs a command line with this Io. */
  tollgate(...argv: string[]): Promise<number>;
  /** Resolves when what was printed satisfies the claim. */
  until(claim: (io: { out: string; err: string }) => boolean): Promise<void>;
}

export const testIo = (env: Record<string, string> = {}, isKubectlPlugin = false): TestIo => {
  const signals = new EventEmitter();
  let out = '';
  let err = '';
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  const io: TestIo = {
    // One cache for all runs: what is in it is made again when it is gone.
    env: { PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: join(tmpdir(), 'tollgate-test-cache'), ...env },
    home: '/nonexistent',
    pid: process.pid,
    isKubectlPlugin,
    now: Date.now,
    stdout: (text) => {
      out += text;
      wake();
    },
    stderr: (text) => {
      err += text;
      wake();
    },
    hasTerminal: false,
    screenColumns: () => 0,
    signals,
    exit: (code) => {
      err += `exit ${String(code)}\n`;
      wake();
    },
    programs: {
      tollgate: [...SOURCE, pathOf('../main.ts')],
      proxy: [...SOURCE, pathOf('../../../../sidecar/src/main.ts')],
      pglite: [...SOURCE, pathOf('../../../standalone/src/pglite-child.ts')],
      preload: new URL('../../../standalone/src/process/stop-with-parent.ts', import.meta.url).href,
    },
    out: () => out,
    err: () => err,
    signal: (name) => void signals.emit(name),
    tollgate: (...argv) => run(argv, io),
    until: (claim) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!claim({ out, err })) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
  return io;
};
