/** A real API server with the injector and the rotator beside it, each with no more rights than the chart gives. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monotonicClock, silentLogger, systemTimers } from '@tollgate/runtime';
import { makeKubeClient } from '../../kube/kube-client.ts';
import { loadKubeConfig } from '../../kube/kube-config.ts';
import { makeKubeConnection } from '../../kube/kube-connection.ts';
import { clientOf } from '../../kube/testing/client-of.ts';
import type { RbacRule } from '../../rbac.ts';
import { startControlPlane, type ControlPlane } from '../../testing/control-plane.ts';
import { makeCertificateMaker } from '../certificates/certificate-maker.ts';
import { makeCertificateRotator, type CertificateRotator } from '../certificates/certificate-rotator.ts';
import { readInjectorConfig } from '../injector-config.ts';
import {
  injectorClusterRules,
  injectorNamespaceRules,
  rotatorClusterRules,
  rotatorNamespaceRules,
} from '../injector-rbac.ts';
import { askKubernetesMinor } from '../kubernetes-minor.ts';
import { startInjector, type Injector } from '../start-injector.ts';
import { webhookConfiguration } from '../webhook-configuration.ts';
import { readEnv } from '@tollgate/runtime';

export const SYSTEM = 'tollgate-system';
const CONFIGURATION = 'tollgate-injector';
const [TLS, AUTHORITIES] = ['tollgate-webhook-tls', 'tollgate-webhook-ca'];
const IMAGE = 'registry.test/tollgate-proxy:1';

export interface InjectorCluster {
  readonly api: ControlPlane;
  readonly injector: Injector;
  readonly rotator: CertificateRotator;
  stop(): Promise<void>;
}

export const startInjectorCluster = async (): Promise<InjectorCluster> => {
  const home = await mkdtemp(join(tmpdir(), 'tollgate-injector-'));
  const api = await startControlPlane({ crds: true, controllerManager: true });
  const closing: (() => unknown)[] = [() => rm(home, { recursive: true, force: true }), () => api.stop()];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    await api.kubectl(['create', 'namespace', SYSTEM]);
    const kubeconfigOf = async (name: string, cluster: readonly RbacRule[], inside: readonly RbacRule[]) => {
      await api.kubectl(
        ['apply', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rbac(name, cluster, inside) }),
      );
      return api.kubeconfigOf({ commonName: name, groups: ['system:authenticated'] });
    };
    const injectorConfig = await kubeconfigOf(
      'injector',
      injectorClusterRules(CONFIGURATION),
      injectorNamespaceRules(TLS),
    );
    const rotatorConfig = await kubeconfigOf(
      'rotator',
      rotatorClusterRules(CONFIGURATION),
      rotatorNamespaceRules(TLS, AUTHORITIES),
    );

    const file = join(home, 'injection.yaml');
    await writeFile(
      file,
      JSON.stringify({ proxyImage: IMAGE, serverUrl: 'https://tollgate-server.tollgate-system.svc:4180' }),
    );
    const config = readEnv(
      {
        TOLLGATE_INJECTION_FILE: file,
        TOLLGATE_LISTEN: '127.0.0.1:0',
        TOLLGATE_ADMIN_LISTEN: '127.0.0.1:0',
        TOLLGATE_DRAIN_MS: '0',
        KUBECONFIG: injectorConfig,
      },
      readInjectorConfig,
    );
    const connection = makeKubeConnection({
      config: loadKubeConfig({ kubeconfig: injectorConfig }),
      userAgent: 'tollgate-injector-test',
    });
    const log = silentLogger();
    const injector = await startInjector({
      config,
      connect: (metrics) => makeKubeClient({ connection, timers: systemTimers, metrics }),
      kubernetesMinor: () => askKubernetesMinor(connection, log),
      timers: systemTimers,
      clock: monotonicClock,
      wallClock: Date.now,
      random: Math.random,
      instance: 'test',
      log,
    });
    closing.push(
      () => connection.close(),
      () => injector.stop(),
    );

    const configuration = webhookConfiguration(CONFIGURATION, {
      clientConfig: (path) => ({ url: `${injector.url}${path}` }),
      excludedNamespaces: ['kube-system', 'kube-node-lease', SYSTEM],
      failurePolicy: 'Fail',
      timeoutSeconds: 5,
    });
    await api.kubectl(['apply', '--server-side', '--field-manager=helm', '-f', '-'], JSON.stringify(configuration));
    const rotatorClient = clientOf({ kubeconfigPath: rotatorConfig });
    closing.push(() => rotatorClient.close());
    const rotator = makeCertificateRotator({
      api: rotatorClient.api,
      maker: makeCertificateMaker({ clock: Date.now, authorityDays: 5 * 365, leafDays: 30 }),
      secrets: { namespace: SYSTEM, tlsSecret: TLS, authoritySecret: AUTHORITIES, configuration: CONFIGURATION },
      names: ['127.0.0.1'],
      overlapMs: 600_000,
      clock: Date.now,
      timers: systemTimers,
      log,
    });
    return { api, injector, rotator, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

const rbac = (name: string, cluster: readonly RbacRule[], inside: readonly RbacRule[]): readonly object[] => {
  const subjects = [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }];
  const rules = (list: readonly RbacRule[]): readonly object[] =>
    list.map(({ groups, resources, verbs, resourceNames }) => ({ apiGroups: groups, resources, verbs, resourceNames }));
  const metadata = { name };
  const ref = (kind: string): object => ({ kind, name, apiGroup: 'rbac.authorization.k8s.io' });
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion, kind: 'ClusterRole', metadata, rules: rules(cluster) },
    { apiVersion, kind: 'ClusterRoleBinding', metadata, subjects, roleRef: ref('ClusterRole') },
    { apiVersion, kind: 'Role', metadata: { name, namespace: SYSTEM }, rules: rules(inside) },
    { apiVersion, kind: 'RoleBinding', metadata: { name, namespace: SYSTEM }, subjects, roleRef: ref('Role') },
  ];
};
