/** `control-plane` and `up`: whatever the state is, afterwards it is what was asked for. */
import { buildPrograms } from './build-programs.ts';
import { startClusterControlPlane } from './control-plane.ts';
import { stopCluster } from './down.ts';
import { awaitNode, startNode } from './node.ts';
import { installNodePackages } from './node-packages.ts';
import { ADMIN_KUBECONFIG } from './place.ts';
import { clusterState } from './status.ts';

/** Resolves with whether it had to be started. What a crash has left is cleared away first. */
export const bringUp = async (wanted: 'control-plane' | 'node', say: (line: string) => void): Promise<boolean> => {
  needRoot();
  await buildPrograms('all', say);
  const state = await clusterState();
  if (state === wanted || state === 'node') {
    if (wanted === 'node') await awaitNode();
    say(`it runs already; KUBECONFIG=${ADMIN_KUBECONFIG}`);
    return false;
  }
  if (wanted === 'node') await installNodePackages();
  try {
    if (state !== 'control-plane') {
      if (await stopCluster()) say('cleared away what a crash had left');
      say('starting the control plane');
      await startClusterControlPlane();
    }
    if (wanted === 'node') {
      say('starting the node');
      await startNode();
    }
  } catch (cause) {
    say('it did not come up; the logs stay until the next "up" or "down"');
    throw cause;
  }
  say(`ready; KUBECONFIG=${ADMIN_KUBECONFIG}`);
  return true;
};

/** Network namespaces and mounts are made. */
export const needRoot = (): void => {
  if (process.getuid?.() === 0) return;
  throw new Error('only root can make a cluster out of this machine; with Docker, "make e2e-kind" needs no root');
};
