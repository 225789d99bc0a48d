/** An application as a team would write it, with the official SDK and no word of Tollgate, and the provider that it calls. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { apply, kubectl } from './kubectl.ts';

/** It has Node in it, which is all that the application needs. */
const NODE_IMAGE = 'localhost/tollgate-server:dev';

const PROVIDER = 'mock-provider';
const SOURCE = join(import.meta.dirname, 'ask-on-demand.ts');
const PORT = 8080;

const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
};
const POD_SECURITY = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

/** What became of one call, as the SDK told the application. */
export interface Outcome {
  readonly ok: boolean;
  /** Of the class that the SDK threw. */
  readonly error?: string;
  readonly status?: number;
  readonly message?: string;
  readonly costUsd?: string;
  /** As the proxy named the call. */
  readonly requestId?: string;
  /** It was under way when its pod was told to go. */
  readonly endedWhileStopping?: true;
}

const deploymentOf = (namespace: string, name: string, replicas: number, podSpec: object): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { enableServiceLinks: false, terminationGracePeriodSeconds: 5, securityContext: POD_SECURITY, ...podSpec },
    },
  },
});

export const deployProvider = async (namespace: string): Promise<void> => {
  const container = {
    name: PROVIDER,
    image: NODE_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    args: ['mock-provider', '--host', '0.0.0.0', '--port', '4199'],
    ports: [{ name: 'http', containerPort: 4199 }],
    readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1 },
    securityContext: CONTAINER_SECURITY,
  };
  await apply(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: PROVIDER, namespace },
      spec: { selector: { app: PROVIDER }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
    deploymentOf(namespace, PROVIDER, 1, { automountServiceAccountToken: false, containers: [container] }),
  );
  await isRolledOut(namespace, PROVIDER);
};

/** The SDK goes with it in one file, as published: a ConfigMap needs no image and no registry. */
export const deployApps = async (
  namespace: string,
  names: readonly string[],
  { replicas = 1, podSpec = {} }: { readonly replicas?: number; readonly podSpec?: object } = {},
): Promise<void> => {
  const { outputFiles } = await build({
    entryPoints: [SOURCE],
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    write: false,
  });
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'app', namespace },
    data: { 'app.mjs': outputFiles[0]?.text ?? '' },
  };
  // By the server: what `kubectl apply` keeps of it in an annotation would be too long for one.
  await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(config));
  const container = {
    name: 'app',
    image: NODE_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '/app/app.mjs'],
    env: [
      { name: 'OPENAI_API_KEY', value: 'sk-the-teams-own' },
      { name: 'OPENAI_BASE_URL', value: `http://${PROVIDER}.${namespace}.svc/v1` },
    ],
    readinessProbe: { httpGet: { path: '/', port: PORT }, periodSeconds: 1 },
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [{ name: 'app', mountPath: '/app', readOnly: true }],
  };
  const volumes = [{ name: 'app', configMap: { name: 'app' } }];
  const whole = { containers: [container], volumes, ...podSpec };
  await apply(...names.map((name) => deploymentOf(namespace, name, replicas, whole)));
  for (const name of names) await isRolledOut(namespace, name);
};

export const isRolledOut = async (namespace: string, name: string): Promise<void> => {
  await kubectl(['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=150s']);
};

export interface Load {
  /** So many calls wait for their answers side by side. */
  readonly atOnce?: number;
  /** Milliseconds that each of these lets pass before its next call. */
  readonly pauseMs?: number;
  readonly stream?: boolean;
  /** The SDK tries nothing again by itself, so that every failure shows. */
  readonly once?: boolean;
}

export interface Ask extends Load {
  readonly calls?: number;
}

const APP_DEFAULTS = { calls: 1, atOnce: 1, pauseMs: 0 };

const tellApp = async (
  namespace: string,
  pod: string,
  what: 'ask' | 'begin' | 'end',
  wish: Ask,
): Promise<readonly Outcome[]> => {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}:${String(PORT)}/proxy/${what}`;
  const query = Object.entries({ ...APP_DEFAULTS, ...wish }).map(([name, value]) => `${name}=${String(value)}`);
  return JSON.parse(await kubectl(['get', '--raw', `${path}?${query.join('&')}`])) as readonly Outcome[];
};

/** Has one pod call the provider, and says what its SDK said. */
export const ask = (namespace: string, pod: string, wish: Ask = {}): Promise<readonly Outcome[]> =>
  tellApp(namespace, pod, 'ask', wish);

/** Has one pod call until `endCalls`, whoever is away meanwhile: nobody waits for an answer. */
export const beginCalls = async (namespace: string, pod: string, load: Load): Promise<void> => {
  await tellApp(namespace, pod, 'begin', load);
};

/** Ends what `beginCalls` began, once the calls under way are answered. */
export const endCalls = (namespace: string, pod: string): Promise<readonly Outcome[]> =>
  tellApp(namespace, pod, 'end', {});

const providerPath = (namespace: string, path: string): string =>
  `/api/v1/namespaces/${namespace}/services/${PROVIDER}:80/proxy/__mock/${path}`;

/** How the provider behaves from now on, by the simulator's words for it. */
export const scriptProvider = async (namespace: string, behaviour: Readonly<Record<string, string>>): Promise<void> => {
  await kubectl(['create', '--raw', providerPath(namespace, 'script'), '-f', '-'], JSON.stringify({ behaviour }));
};

/** When each call reached the provider, as milliseconds since 1970. */
export const arrivalsAt = async (namespace: string): Promise<readonly number[]> => {
  const log = await kubectl(['get', '--raw', providerPath(namespace, 'log')]);
  return log
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { readonly at: number }).at);
};

export interface Bill {
  readonly calls: number;
  /** Nano-USD, by the provider's own arithmetic. */
  readonly billedNano: string;
}

export const billOf = async (namespace: string): Promise<Bill> =>
  JSON.parse(await kubectl(['get', '--raw', providerPath(namespace, 'bill')])) as Bill;
