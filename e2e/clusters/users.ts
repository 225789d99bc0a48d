/** Who is at work with the one-node cluster: a suite that runs, so that nobody ends the cluster under it. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterCache } from '@tollgate/testkit/kubernetes';

const FOLDER = join(clusterCache(), 'users');
/** A number is given again to another process; that one was not started with this word. */
const WORD = 'run-suite.ts';

/** Resolves with how to say that it is over. A process that dies says it too. */
export const beginUse = async (folder: string = FOLDER): Promise<() => Promise<void>> => {
  await mkdir(folder, { recursive: true });
  const file = join(folder, String(process.pid));
  await writeFile(file, '');
  return () => rm(file, { force: true });
};

/** The processes of all others. */
export const otherUsers = async (folder: string = FOLDER): Promise<readonly number[]> => {
  if (!existsSync(folder)) return [];
  const pids = (await readdir(folder)).map(Number).filter((pid) => pid !== process.pid);
  const alive = pids.filter(isSuite);
  for (const pid of pids) if (!alive.includes(pid)) await rm(join(folder, String(pid)), { force: true });
  return alive;
};

const isSuite = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes(WORD);
  } catch {
    return false;
  }
};
