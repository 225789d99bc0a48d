/** A cluster of kind, for those who have Docker: the same suite on a Kubernetes that is not ours. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endsWell, runCommand } from './run-command.ts';
import type { SuiteCluster } from './suite-cluster.ts';

const NAME = 'tollgate-e2e';
const FROM = { kind: 'https://kind.sigs.k8s.io (0.33 or later)', docker: 'https://docs.docker.com/engine/install' };

export const startKind = async (say: (line: string) => void): Promise<SuiteCluster> => {
  const missing = [
    ...((await endsWell('docker', ['info'])) ? [] : [`a Docker that answers ("docker info" fails): ${FROM.docker}`]),
    ...((await endsWell('kind', ['version'])) ? [] : [`kind: ${FROM.kind}`]),
    ...((await endsWell('kubectl', ['version', '--client']))
      ? []
      : ['kubectl: https://kubernetes.io/docs/tasks/tools']),
    ...((await endsWell('helm', ['version'])) ? [] : ['helm: https://helm.sh/docs/intro/install']),
  ];
  if (missing.length > 0) throw new Error(`kind cannot be used here. Missing:\n- ${missing.join('\n- ')}`);

  // One that a broken run has left would hold the images and objects of then.
  await runCommand('kind', ['delete', 'cluster', '--name', NAME]);
  const home = await mkdtemp(join(tmpdir(), 'tollgate-kind-'));
  const kubeconfig = join(home, 'kubeconfig');
  const remove = async (): Promise<void> => {
    await runCommand('kind', ['delete', 'cluster', '--name', NAME]);
    await rm(home, { recursive: true, force: true });
  };
  // Which Kubernetes it is, KIND_NODE_IMAGE says, or else kind's own release.
  const image = process.env['KIND_NODE_IMAGE'];
  say('starting kind');
  try {
    await runCommand('kind', [
      'create',
      'cluster',
      ...['--name', NAME, '--kubeconfig', kubeconfig, '--wait', '180s'],
      ...(image === undefined ? [] : ['--image', image]),
    ]);
  } catch (cause) {
    await remove();
    throw cause;
  }
  return {
    kubeconfig,
    tools: { kubectl: 'kubectl', helm: 'helm' },
    helmValues: async () => ({}),
    // A static pod: its kubelet starts it again by itself.
    restartApiServer: `docker exec ${NAME}-control-plane sh -c 'crictl stop --timeout 0 $(crictl ps --quiet --name kube-apiserver)'`,
    load: async (images) => {
      await runCommand('kind', ['load', 'docker-image', '--name', NAME, ...images]);
    },
    saveLogs: async (folder) => {
      await runCommand('kind', ['export', 'logs', '--name', NAME, folder]);
    },
    remove,
  };
};
