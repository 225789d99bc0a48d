/** `status`: what runs of the cluster, for a person. */
import { existsSync } from 'node:fs';
import { kubectlEndsWell } from './control-plane.ts';
import { isDaemonAlive } from './daemons.ts';
import { loadedImages } from './images.ts';
import { ADMIN_KUBECONFIG, API_URL, NODE_NAME, RUN, runPath } from './place.ts';

const CONTROL_PLANE = ['etcd', 'apiserver', 'controller-manager'] as const;
const NODE = ['containerd', 'scheduler', 'kubelet', 'proxy', 'coredns'] as const;

export type ClusterState = 'absent' | 'control-plane' | 'node' | 'broken';

/** `broken`: one of its daemons has ended. One that is only slow to answer is not broken: somebody may be at work with it. */
export const clusterState = async (): Promise<ClusterState> => {
  if (!existsSync(RUN)) return 'absent';
  if (!(await allAlive(CONTROL_PLANE))) return 'broken';
  if (!existsSync(runPath('containerd.pid'))) return 'control-plane';
  return (await allAlive(NODE)) ? 'node' : 'broken';
};

export const nodeIsReady = (): Promise<boolean> =>
  kubectlEndsWell(['wait', '--for=condition=Ready', `node/${NODE_NAME}`, '--timeout=1s']);

export const describeCluster = async (): Promise<string> => {
  const state = await clusterState();
  if (state === 'absent') return 'there is no cluster: run "make cluster-up"';
  const daemons = await Promise.all(
    [...CONTROL_PLANE, ...NODE].map(async (name) => `${name.padEnd(20)} ${(await isDaemonAlive(name)) ? 'runs' : '-'}`),
  );
  const images = state === 'node' ? await loadedImages() : [];
  return [
    STATES[state],
    `API server           ${API_URL}`,
    `KUBECONFIG           ${ADMIN_KUBECONFIG}`,
    `logs                 ${RUN}/*.log`,
    ...daemons,
    ...images.map((name) => `image                ${name}`),
  ].join('\n');
};

const STATES: Readonly<Record<Exclude<ClusterState, 'absent'>, string>> = {
  'control-plane': 'the control plane runs, without a node',
  node: 'the cluster runs',
  broken: 'something of the cluster has ended: "make cluster-up" clears it away and starts anew',
};

const allAlive = async (names: readonly string[]): Promise<boolean> =>
  (await Promise.all(names.map(isDaemonAlive))).every(Boolean);
