/** `down`: ends what the cluster started, also after a crash of any of it, and takes away every trace but the cache. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { namespaceProcesses, networkExists, removeNetwork } from './network.ts';
import { CONTAINERD_SOCKET, RUN, runPath } from './place.ts';
import { clusterProcesses, readProcessTable } from './process-table.ts';
import { runCommand } from './run-command.ts';

/** What is killed is gone in a moment; one that hangs in the kernel longer than this is said. */
const PATIENCE_MS = 20_000;
const CGROUPS = '/sys/fs/cgroup';

/** Resolves with false where there was nothing to end. */
export const stopCluster = async (): Promise<boolean> => {
  if (!existsSync(RUN) && !(await networkExists())) return false;
  await killProcesses();
  const pods = await readdir(runPath('kubelet', 'pods')).catch(() => []);
  await unmountAll();
  await removePodCgroups(pods);
  await removeNetwork();
  await rm(RUN, { recursive: true, force: true });
  return true;
};

/** Without asking first: nothing of a test cluster is to be saved, and a daemon that is asked would start others again. */
const killProcesses = async (): Promise<void> => {
  const last = Date.now() + PATIENCE_MS;
  for (;;) {
    const pids = clusterProcesses(readProcessTable(), {
      inNamespace: await namespaceProcesses(),
      containerdSocket: CONTAINERD_SOCKET,
    });
    if (pids.length === 0) return;
    if (Date.now() > last) throw new Error(`processes of the cluster do not end: ${pids.join(', ')}`);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It was quicker.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

/**
 * Lazily, since a file system that a dying process still holds is free soon after. Throws where one stays: what is mounted
 * there may be a folder of the machine's, and the next step removes everything below.
 */
const unmountAll = async (): Promise<void> => {
  for (const path of mountedBelow(RUN)) await runCommand('umount', ['--lazy', path]);
  const left = mountedBelow(RUN);
  if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`);
};

/** The deepest first. */
const mountedBelow = (folder: string): readonly string[] => {
  if (!existsSync(folder)) return [];
  // The kernel knows no symbolic links, and somebody's cache may be one.
  const root = `${realpathSync(folder)}/`;
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((path) => path.startsWith(root))
    .sort((a, b) => b.length - a.length);
};

/** Those of our pods by their UIDs: another cluster's may hang below the same parent. */
const removePodCgroups = async (uids: readonly string[]): Promise<void> => {
  const hierarchies = [CGROUPS, ...(await readdir(CGROUPS)).map((name) => join(CGROUPS, name))];
  const parents = hierarchies.flatMap((root) =>
    ['kubepods', 'kubepods/burstable', 'kubepods/besteffort'].map((quality) => join(root, quality)),
  );
  for (const parent of parents) {
    for (const uid of uids) await removeCgroup(join(parent, `pod${uid}`));
  }
};

const removeCgroup = async (path: string): Promise<void> => {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(path, entry.name));
  await rmdir(path).catch(() => undefined);
};
