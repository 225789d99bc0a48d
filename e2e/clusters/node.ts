/** The second half of `up`: containerd, the scheduler, the kubelet, kube-proxy and DNS, until the node is ready. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { programPath } from '@tollgate/testkit/kubernetes';
import { kubectl } from './control-plane.ts';
import { awaitDaemon, startDaemon } from './daemons.ts';
import { loadArchive, storePauseImage } from './images.ts';
import {
  containerdSettings,
  dnsSettings,
  kubeletSettings,
  podNetwork,
  proxySettings,
  volumeManifests,
  volumePath,
} from './node-files.ts';
import { CONTAINERD_SOCKET, NETWORK, NODE_NAME, runPath } from './place.ts';
import { endsWell } from './run-command.ts';
import { nodeIsReady } from './status.ts';

const VOLUMES = 8;

export const startNode = async (): Promise<void> => {
  await mkdir(runPath('cni'), { recursive: true });
  await writeFile(runPath('cni', '10-pods.conflist'), podNetwork());
  await writeFile(runPath('containerd.toml'), containerdSettings());
  await writeFile(runPath('kubelet.json'), kubeletSettings());
  await writeFile(runPath('proxy.json'), proxySettings());
  await writeFile(runPath('Corefile'), dnsSettings());

  await startDaemon('containerd', 'containerd', ['--config', runPath('containerd.toml')]);
  await awaitDaemon('containerd', 60, () => endsWell('ctr', ['-a', CONTAINERD_SOCKET, 'version']));
  await loadArchive(await storePauseImage());

  await startDaemon('scheduler', programPath('kube-scheduler'), [
    `--kubeconfig=${runPath('scheduler.kubeconfig')}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
  ]);
  await startDaemon('kubelet', programPath('kubelet'), [
    `--config=${runPath('kubelet.json')}`,
    `--kubeconfig=${runPath('kubelet.kubeconfig')}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${NETWORK.nodeAddress}`,
    `--root-dir=${runPath('kubelet')}`,
  ]);
  await startDaemon('proxy', programPath('kube-proxy'), [`--config=${runPath('proxy.json')}`]);
  await startDaemon('coredns', programPath('coredns'), ['-conf', runPath('Corefile')]);
  await makeVolumes();
  await awaitNode();
};

/** Rejects when the kubelet has ended, or the node is not ready after two minutes. */
export const awaitNode = (): Promise<void> => awaitDaemon('kubelet', 120, nodeIsReady);

const makeVolumes = async (): Promise<void> => {
  for (let index = 0; index < VOLUMES; index += 1) {
    await mkdir(volumePath(index), { recursive: true });
    // Whoever the pod runs as: a volume of a host path is given to nobody. (mkdir's mode is cut by the umask.)
    await chmod(volumePath(index), 0o777);
  }
  await kubectl(['apply', '-f', '-'], volumeManifests(VOLUMES));
};
