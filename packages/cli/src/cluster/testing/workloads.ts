/** Workloads and settings as the tests of the cluster commands write them. */
import { InjectionSettingsSchema, type InjectionSettings, type NamespaceFacts } from '@tollgate/operator/injection';

type Fields = Readonly<Record<string, unknown>>;

export const PROXY_IMAGE = `registry.test/tollgate-proxy@sha256:${'0a'.repeat(32)}`;

export const someSettings = (changes: Fields = {}): InjectionSettings => ({
  ...InjectionSettingsSchema.parse({
    proxyImage: PROXY_IMAGE,
    serverUrl: 'http://tollgate-server.tollgate-system.svc:4180',
    ...changes,
  }),
  version: '0.1.0+test',
  configHash: 'c0ffee',
});

export const someNamespace = (changes: Partial<NamespaceFacts> = {}): NamespaceFacts => ({
  name: 'shop',
  mode: null,
  routeKeys: [],
  kubernetesMinor: 34,
  ...changes,
});

export const env = (variables: Readonly<Record<string, string>>): readonly Fields[] =>
  Object.entries(variables).map(([name, value]) => ({ name, value }));

/** One container, `app`. */
export const aDeployment = (container: Fields = {}, { metadata = {}, pod = {}, spec = {} }: Parts = {}): Fields => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' }, ...pod },
      spec: { containers: [{ name: 'app', image: 'shop/app:1', ...container }], ...spec },
    },
  },
});

interface Parts {
  /** Of the Deployment. */
  readonly metadata?: Fields;
  /** Of the template's metadata. */
  readonly pod?: Fields;
  /** Of the template's spec. */
  readonly spec?: Fields;
}
