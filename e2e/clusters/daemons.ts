/** The cluster's programs: started inside its network, going on when this command ends, each with its log. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { INSIDE, namespaceProcesses } from './network.ts';
import { runPath } from './place.ts';

const LAST_WORDS = 3_000;
const POLL_MS = 250;

/** Appends to `<name>.log`, writes `<name>.pid`. */
export const startDaemon = async (name: string, program: string, args: readonly string[]): Promise<void> => {
  const log = openSync(runPath(`${name}.log`), 'a');
  const [enter, ...entering] = INSIDE;
  const child = spawn(enter, [...entering, program, ...args], { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  await once(child, 'spawn');
  child.unref();
  await writeFile(runPath(`${name}.pid`), String(child.pid));
};

/** With SIGKILL, as a crash would; rejects where it does not run. Resolves once it is gone. */
export const killDaemon = async (name: string): Promise<void> => {
  if (!(await isDaemonAlive(name))) throw new Error(`${name} does not run: see "cluster.ts status"`);
  process.kill(await pidOf(name), 'SIGKILL');
  while (await isDaemonAlive(name)) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
};

/** Its number alone proves nothing: after a restart of the machine it is somebody else's. */
export const isDaemonAlive = async (name: string): Promise<boolean> => {
  const pid = await pidOf(name);
  return (await namespaceProcesses()).has(pid);
};

const pidOf = async (name: string): Promise<number> =>
  Number(await readFile(runPath(`${name}.pid`), 'utf8').catch(() => '0'));

/** Rejects when the daemon that it is waited for has ended, or after `seconds`, with the daemon's last words. */
export const awaitDaemon = async (name: string, seconds: number, isReady: () => Promise<boolean>): Promise<void> => {
  const last = Date.now() + seconds * 1000;
  while (!(await isReady())) {
    const why = !(await isDaemonAlive(name))
      ? 'has ended'
      : Date.now() > last
        ? `was not ready in ${String(seconds)} s`
        : null;
    if (why !== null)
      throw new Error(`${name} ${why}; the end of ${runPath(`${name}.log`)}:\n${await lastWords(name)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

const lastWords = async (name: string): Promise<string> =>
  (await readFile(runPath(`${name}.log`), 'utf8').catch(() => '')).slice(-LAST_WORDS);
