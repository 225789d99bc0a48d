import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { beginUse, otherUsers } from './users.ts';

let folder = '';
let started: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-users-'));
  started = [];
});
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** A process that says it is at work, under whatever words it was started with. */
const user = async (...words: readonly string[]): Promise<number> => {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1e6)', '--', ...words]);
  started.push(child);
  await once(child, 'spawn');
  writeFileSync(join(folder, String(child.pid)), '');
  return child.pid ?? 0;
};

describe('who uses the cluster', () => {
  it('is nobody where nobody ever did, and not this process itself', async () => {
    expect(await otherUsers(join(folder, 'none'))).toEqual([]);
    const end = await beginUse(folder);
    expect(await otherUsers(folder)).toEqual([]);
    expect(readdirSync(folder)).toEqual([String(process.pid)]);
    await end();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is a suite that runs, and neither one that has died nor a stranger with its number', async () => {
    const suite = await user('e2e/clusters/run-suite.ts', 'one-node');
    const dead = await user('e2e/clusters/run-suite.ts');
    const stranger = await user('another.ts');
    const [, second] = started;
    second?.kill('SIGKILL');
    if (second) await once(second, 'exit');
    expect(await otherUsers(folder)).toEqual([suite]);
    expect([dead, stranger].map((pid) => readdirSync(folder).includes(String(pid)))).toEqual([false, false]);
  });
});
