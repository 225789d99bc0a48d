/** Where the programs of Kubernetes lie, which `make cluster-build` builds once for all checkouts. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export type ClusterProgram =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'kubectl'
  | 'coredns'
  | 'pause'
  | 'helm';

/** `TOLLGATE_CACHE`, or `~/.cache/tollgate`: never inside the checkout, so that a clean one has not to build again. */
export const clusterCache = (env: Readonly<Record<string, string | undefined>> = process.env): string =>
  join(env['TOLLGATE_CACHE'] ?? join(homedir(), '.cache', 'tollgate'), 'cluster');

export const programPath = (program: ClusterProgram, cache: string = clusterCache()): string =>
  join(cache, 'bin', program);

/** Throws where one is missing, and says how to get it. */
export const requirePrograms = (programs: readonly ClusterProgram[], cache: string = clusterCache()): void => {
  const missing = programs.filter((program) => !existsSync(programPath(program, cache)));
  if (missing.length === 0) return;
  throw new Error(
    `no ${missing.join(', ')} in ${join(cache, 'bin')}: run "make cluster-build" (needs Go 1.24, 15 minutes once)`,
  );
};
