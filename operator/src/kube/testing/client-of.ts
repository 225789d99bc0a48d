/** A client for tests: of a real control plane by its kubeconfig, or of the fake API server by its address. */
import { KubeConfig } from '@kubernetes/client-node';
import { makeMetrics, systemTimers } from '@tollgate/runtime';
import type { KubeApi } from '../kube-api.ts';
import { makeKubeClient } from '../kube-client.ts';
import { loadKubeConfig } from '../kube-config.ts';
import { makeKubeConnection } from '../kube-connection.ts';
import { KUBE_METRICS, type KubeMetrics } from '../metrics.ts';

export interface TestClient {
  readonly api: KubeApi;
  readonly metrics: KubeMetrics & { page(): Promise<string> };
  close(): void;
}

export const clientOf = (server: { readonly kubeconfigPath: string } | { readonly url: string }): TestClient => {
  // A control plane has an address as well, but asks who comes.
  const config =
    'kubeconfigPath' in server ? loadKubeConfig({ kubeconfig: server.kubeconfigPath }) : plainConfig(server.url);
  const connection = makeKubeConnection({ config, userAgent: 'tollgate-test' });
  const metrics = makeMetrics(KUBE_METRICS, { processMetrics: false });
  return {
    api: makeKubeClient({ connection, timers: systemTimers, metrics }),
    metrics,
    close: () => connection.close(),
  };
};

/** client-node speaks plain HTTP only where nothing is verified anyway. */
const plainConfig = (server: string): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'fake', server, skipTLSVerify: true }, { name: 'nobody', token: 'secret' });
  return config;
};
