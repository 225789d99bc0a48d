/** `control-plane`: etcd, the API server and the controller manager, at the address that pods will know. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  makeAuthority,
  programPath,
  renderKubeconfig,
  writeTokenKeys,
  type CertificateSubject,
  type ControlPlaneFiles,
} from '@tollgate/testkit/kubernetes';
import { awaitDaemon, killDaemon, startDaemon } from './daemons.ts';
import { makeNetwork } from './network.ts';
import { API_PORT, API_URL, ETCD_PEER_URL, ETCD_URL, NETWORK, NODE_NAME, runPath } from './place.ts';
import { endsWell, runCommand } from './run-command.ts';

export const kubectl = (args: readonly string[], input?: string): Promise<string> =>
  runCommand(programPath('kubectl'), [...asAdmin(), ...args], input === undefined ? {} : { input });

export const kubectlEndsWell = (args: readonly string[]): Promise<boolean> =>
  endsWell(programPath('kubectl'), [...asAdmin(), '--request-timeout=5s', ...args]);

const asAdmin = (): readonly string[] => ['--kubeconfig', runPath('admin.kubeconfig')];

/** The names that each component's permissions are bound to; a file `<name>.kubeconfig` for each. */
const IDENTITIES: Readonly<Record<string, CertificateSubject>> = {
  admin: { commonName: 'admin', groups: ['system:masters'] },
  'controller-manager': { commonName: 'system:kube-controller-manager' },
  scheduler: { commonName: 'system:kube-scheduler' },
  kubelet: { commonName: `system:node:${NODE_NAME}`, groups: ['system:nodes'] },
  proxy: { commonName: 'system:kube-proxy' },
};

/** Where each certificate and key is, for who starts one of its readers again. */
const CREDENTIALS = runPath('pki', 'files.json');

export const startClusterControlPlane = async (): Promise<void> => {
  await mkdir(runPath('pki'), { recursive: true, mode: 0o700 });
  const files = await writeCredentials();
  await writeFile(CREDENTIALS, JSON.stringify(files));
  await makeNetwork();
  await startDaemon(
    'etcd',
    programPath('etcd'),
    etcdArguments({ dataDir: runPath('etcd'), clientUrl: ETCD_URL, peerUrl: ETCD_PEER_URL }),
  );
  await startApiServer(files);
  await startDaemon(
    'controller-manager',
    programPath('kube-controller-manager'),
    controllerManagerArguments({ kubeconfig: runPath('controller-manager.kubeconfig'), files, port: 10257 }),
  );
  // Without this account the admission of pods says no.
  await awaitDaemon('controller-manager', 120, () => kubectlEndsWell(['get', 'serviceaccount', 'default']));
};

/** As a crash would end it, and back after so long; everybody else of the cluster goes on. Rejects where there is none. */
export const restartApiServer = async (awayMs: number): Promise<void> => {
  await killDaemon('apiserver');
  await new Promise((resolve) => setTimeout(resolve, awayMs));
  await startApiServer(JSON.parse(await readFile(CREDENTIALS, 'utf8')) as ControlPlaneFiles);
};

const startApiServer = async (files: ControlPlaneFiles): Promise<void> => {
  await startDaemon(
    'apiserver',
    programPath('kube-apiserver'),
    apiServerArguments({
      etcdUrl: ETCD_URL,
      files,
      bindAddress: '0.0.0.0',
      port: API_PORT,
      serviceCidr: NETWORK.serviceCidr,
      advertiseAddress: NETWORK.nodeAddress,
    }),
  );
  await awaitDaemon('apiserver', 120, () => kubectlEndsWell(['get', '--raw', '/readyz']));
};

const writeCredentials = async (): Promise<ControlPlaneFiles> => {
  const pki = runPath('pki');
  const authority = await makeAuthority(pki, 'tollgate-cluster');
  const tokenKeys = await writeTokenKeys(pki);
  await authority.issue('apiserver', { commonName: 'kube-apiserver' }, [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    'localhost',
    '127.0.0.1',
    NETWORK.nodeAddress,
    NETWORK.kubernetesService,
  ]);
  for (const [user, subject] of Object.entries(IDENTITIES)) {
    const identity = await authority.issue(user, subject);
    const text = renderKubeconfig({ server: API_URL, caPem: authority.certPem, user, identity });
    await writeFile(runPath(`${user}.kubeconfig`), text, { mode: 0o600 });
  }
  return {
    ca: authority.certFile,
    caKey: authority.keyFile,
    servingCert: runPath('pki', 'apiserver.crt'),
    servingKey: runPath('pki', 'apiserver.key'),
    adminCert: runPath('pki', 'admin.crt'),
    adminKey: runPath('pki', 'admin.key'),
    tokenSigningKey: tokenKeys.signing,
    tokenCheckingKey: tokenKeys.checking,
  };
};
