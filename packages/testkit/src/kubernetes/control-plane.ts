/**
 * A real Kubernetes API server for one test: etcd, kube-apiserver and, if asked, kube-controller-manager, on loopback and
 * ports of their own, in a folder that goes with them. About 5 s. No node: pods are kept and never run.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { answersOk, requestApi, type ApiAnswer, type ApiEndpoint, type ApiRequest } from './api-request.ts';
import { untilSo } from './await-servers.ts';
import { makeAuthority, writeTokenKeys, type CertificateSubject, type KeyAndCertificate } from './certificates.ts';
import { programPath, requirePrograms } from './cluster-programs.ts';
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  type ControlPlaneFiles,
} from './control-plane-commands.ts';
import { establishCrds } from './establish-crds.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { runKubectl } from './kubectl.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { requestToken, type TokenWish } from './service-account-token.ts';

export interface ControlPlaneOptions {
  /** Makes Deployments into pods, collects what lost its owner, and gives each namespace its `default` ServiceAccount. */
  readonly controllerManager?: boolean;
  /** Tollgate's own kinds, from crds/, established when it returns. */
  readonly crds?: boolean;
  /** Such as `['MutatingAdmissionPolicy=true']`. */
  readonly featureGates?: readonly string[];
  /** APIs that are off by default, such as `['admissionregistration.k8s.io/v1beta1=true']`. */
  readonly runtimeConfig?: readonly string[];
}

export interface ControlPlane {
  /** `https://127.0.0.1:<port>`; the port outlives a restart of the API server. */
  readonly url: string;
  readonly caPem: string;
  readonly caFile: string;
  /** The administrator's, with all that it needs inside. */
  readonly kubeconfigPath: string;
  /** The administrator: a client certificate (system:masters), and the same as a bearer token. */
  readonly admin: KeyAndCertificate;
  readonly adminToken: string;
  /** Asks as the administrator unless a token is given. Resolves with whatever status. */
  request(path: string, options?: ApiRequest): Promise<ApiAnswer>;
  /** Rejects with what kubectl printed when it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** A kubeconfig for somebody else, who may do what RBAC gives them. */
  kubeconfigOf(subject: CertificateSubject): Promise<string>;
  /** A token by TokenRequest, bound to a pod where one is named (it must exist). */
  tokenOf(account: TokenWish): Promise<string>;
  /** SIGKILL; etcd keeps what was written. */
  killApiServer(): Promise<void>;
  /** On the same port; resolves when it is ready. */
  startApiServer(): Promise<void>;
  stop(): Promise<void>;
}

const SERVICE_CIDR = '10.96.0.0/16';
/** Between looking for a free port and taking it, another may have taken it. */
const TRIES = 3;

/** Rejects where `make cluster-build` has not been run. */
export const startControlPlane = async (options: ControlPlaneOptions = {}): Promise<ControlPlane> => {
  requirePrograms(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl']);
  for (let tries = 1; ; tries += 1) {
    const home = await mkdtemp(join(tmpdir(), 'tollgate-control-plane-'));
    const servers: ServerProcess[] = [];
    const stop = async (): Promise<void> => {
      // The API server before its etcd, so that it has nothing to complain of.
      for (const server of servers.splice(0).reverse()) await server.kill();
      await rm(home, { recursive: true, force: true });
    };
    try {
      return await boot(home, servers, stop, options);
    } catch (cause) {
      const said = await allLastWords(servers);
      await stop();
      if (tries < TRIES && said.includes('address already in use')) continue;
      throw new Error(`the control plane did not start\n${said}`, { cause });
    }
  }
};

const boot = async (
  home: string,
  servers: ServerProcess[],
  stop: () => Promise<void>,
  { controllerManager = false, crds = false, featureGates = [], runtimeConfig = [] }: ControlPlaneOptions,
): Promise<ControlPlane> => {
  const [etcdPort, peerPort, port, managerPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const url = `https://127.0.0.1:${String(port)}`;
  const pki = join(home, 'pki');
  await mkdir(pki);
  const authority = await makeAuthority(pki, 'tollgate-test-cluster');
  const tokenKeys = await writeTokenKeys(pki);
  const [admin] = await Promise.all([
    authority.issue('admin', { commonName: 'admin', groups: ['system:masters'] }),
    authority.issue('apiserver', { commonName: 'kube-apiserver' }, [
      'localhost',
      'kubernetes.default.svc',
      '127.0.0.1',
    ]),
  ]);
  const files: ControlPlaneFiles = {
    ca: authority.certFile,
    caKey: authority.keyFile,
    servingCert: join(pki, 'apiserver.crt'),
    servingKey: join(pki, 'apiserver.key'),
    adminCert: join(pki, 'admin.crt'),
    adminKey: join(pki, 'admin.key'),
    tokenSigningKey: tokenKeys.signing,
    tokenCheckingKey: tokenKeys.checking,
  };
  const adminToken = randomUUID();
  const tokenFile = join(home, 'tokens.csv');
  await writeFile(tokenFile, `${adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const kubeconfigPath = join(home, 'admin.kubeconfig');
  const writeKubeconfig = (path: string, user: string, identity: KeyAndCertificate): Promise<void> =>
    writeFile(path, renderKubeconfig({ server: url, caPem: authority.certPem, user, identity }), { mode: 0o600 });
  await writeKubeconfig(kubeconfigPath, 'admin', admin);

  const start = (
    name: 'etcd' | 'kube-apiserver' | 'kube-controller-manager',
    args: readonly string[],
  ): ServerProcess => {
    const server = startServerProcess(name, programPath(name), args, join(home, `${name}.log`));
    servers.push(server);
    return server;
  };
  const etcdUrl = `http://127.0.0.1:${String(etcdPort)}`;
  start(
    'etcd',
    etcdArguments({
      dataDir: join(home, 'etcd'),
      clientUrl: etcdUrl,
      peerUrl: `http://127.0.0.1:${String(peerPort)}`,
    }),
  );

  const endpoint: ApiEndpoint = { url, caPem: authority.certPem, identity: admin };
  const request = (path: string, asked: ApiRequest = {}): Promise<ApiAnswer> => requestApi(endpoint, path, asked);
  let apiServer: ServerProcess | null = null;
  const startApiServer = async (): Promise<void> => {
    if (apiServer?.isAlive()) return;
    apiServer = start(
      'kube-apiserver',
      apiServerArguments({
        etcdUrl,
        files,
        bindAddress: '127.0.0.1',
        port,
        serviceCidr: SERVICE_CIDR,
        advertiseAddress: null,
        featureGates,
        runtimeConfig,
        // Nobody makes the `default` accounts that it asks of every pod, unless the controller manager runs.
        withoutAdmission: controllerManager ? [] : ['ServiceAccount'],
        tokenFile,
      }),
    );
    await untilSo('the API server', servers, () => answersOk(request, '/readyz'));
  };
  await startApiServer();
  // The server makes it a moment after it says that it is ready, and most tests begin with it.
  await untilSo('the namespace default', servers, () => answersOk(request, '/api/v1/namespaces/default'));
  if (controllerManager) {
    const managerConfig = join(home, 'manager.kubeconfig');
    const manager = await authority.issue('manager', { commonName: 'system:kube-controller-manager' });
    await writeKubeconfig(managerConfig, 'system:kube-controller-manager', manager);
    start(
      'kube-controller-manager',
      controllerManagerArguments({ kubeconfig: managerConfig, files, port: managerPort }),
    );
    await untilSo('the controller manager', servers, () =>
      answersOk(request, '/api/v1/namespaces/default/serviceaccounts/default'),
    );
  }
  if (crds) await establishCrds(request, servers);

  let others = 0;
  return {
    url,
    caPem: authority.certPem,
    caFile: authority.certFile,
    kubeconfigPath,
    admin,
    adminToken,
    request,
    kubectl: (args, input) => runKubectl(kubeconfigPath, args, input),
    kubeconfigOf: async (subject) => {
      others += 1;
      const path = join(home, `other-${String(others)}.kubeconfig`);
      const identity = await authority.issue(`other-${String(others)}`, subject);
      await writeKubeconfig(path, subject.commonName, identity);
      return path;
    },
    tokenOf: (wish) => requestToken(request, wish),
    killApiServer: async () => {
      const killed = apiServer;
      apiServer = null;
      if (killed === null) return;
      servers.splice(servers.indexOf(killed), 1);
      await killed.kill();
    },
    startApiServer,
    stop,
  };
};

const freePort = (): Promise<number> => getPort({ host: '127.0.0.1' });

const allLastWords = async (servers: readonly ServerProcess[]): Promise<string> => {
  const said = await Promise.all(servers.map(async (server) => `--- ${server.name}\n${await server.lastWords()}`));
  return said.join('\n');
};
