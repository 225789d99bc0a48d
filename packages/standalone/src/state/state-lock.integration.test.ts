import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { LOCK_FILE, lockState } from './state-lock.ts';

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

it('the state directory of a process that was killed and not yet waited for is taken over', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-lock-'));
  const { pid, started, end } = await startZombie();
  try {
    writeFileSync(join(dir, LOCK_FILE), JSON.stringify({ pid, born: started }));
    const release = lockState(dir, Date.now);
    expect(readFileSync(join(dir, LOCK_FILE), 'utf8')).toContain(`"pid":${String(process.pid)}`);
    release();
  } finally {
    end();
    rmSync(dir, { recursive: true });
  }
});
