import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { lockFolder } from './folder-lock.ts';

/** A killed process that its parent, which lives, never waits for. */
const startZombie = async (): Promise<{ pid: number; started: string; end: () => void }> => {
  const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [text] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(text.toString());
  const stat = (path: string): string[] => readFileSync(path, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  // The shell must have become the one that never waits.
  while (readFileSync(`/proc/${String(parent.pid)}/comm`, 'utf8') !== 'sleep\n') await pause(5);
  process.kill(pid, 'SIGKILL');
  while (stat(`/proc/${String(pid)}/stat`)[0] !== 'Z') await pause(5);
  return { pid, started: stat(`/proc/${String(pid)}/stat`)[19] ?? '', end: () => parent.kill('SIGKILL') };
};

it('the lock of a process that was killed and not yet waited for is taken over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-folder-lock-'));
  const { pid, started, end } = await startZombie();
  try {
    symlinkSync(JSON.stringify({ pid, started }), join(folder, 'lock'));
    const lock = lockFolder(folder);
    expect(lock.isHeld()).toBe(true);
    expect(readlinkSync(join(folder, 'lock'))).toContain(`"pid":${String(process.pid)}`);
    lock.release();
  } finally {
    end();
    rmSync(folder, { recursive: true });
  }
});
