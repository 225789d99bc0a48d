/** The helm that `make cluster-build` built, with folders of its own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programPath, requirePrograms } from '@tollgate/testkit/kubernetes';
import { parseAllDocuments } from 'yaml';

export const CHART = join(import.meta.dirname, '../../../../charts/tollgate');
export const RELEASE = 'tollgate';
export const NAMESPACE = 'tollgate-system';

/** An object as it was rendered. What a test reads of it, the test itself asserts. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the kind has
  readonly [field: string]: any;
}

export interface Rendering {
  readonly values?: object;
  readonly release?: string;
  readonly namespace?: string;
  readonly kubeVersion?: string;
  /** Such as `monitoring.coreos.com/v1`. */
  readonly apiVersions?: readonly string[];
  /** Of a cluster that is looked into, as an upgrade does; else none is. */
  readonly kubeconfig?: string | null;
}

/** Resolves with what helm printed; rejects with what it complained of. */
export const runHelm = async (args: readonly string[], { kubeconfig = '' } = {}): Promise<string> => {
  requirePrograms(['helm']);
  const home = mkdtempSync(join(tmpdir(), 'tollgate-helm-'));
  try {
    return await new Promise((resolve, reject) => {
      execFile(
        programPath('helm'),
        args,
        {
          maxBuffer: 64 * 1024 * 1024,
          env: {
            PATH: process.env['PATH'] ?? '',
            HOME: home,
            HELM_CACHE_HOME: join(home, 'cache'),
            HELM_CONFIG_HOME: join(home, 'config'),
            HELM_DATA_HOME: join(home, 'data'),
            KUBECONFIG: kubeconfig,
          },
        },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(stderr.trim() === '' ? error.message : stderr.trim(), { cause: error }));
        },
      );
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};

/** Writes the values to a file for as long as helm runs. */
export const withValues = async <T>(values: object, use: (args: readonly string[]) => Promise<T>): Promise<T> => {
  const home = mkdtempSync(join(tmpdir(), 'tollgate-values-'));
  try {
    const file = join(home, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    return await use(['--values', file]);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};

export const renderText = ({
  values = {},
  release = RELEASE,
  namespace = NAMESPACE,
  kubeVersion = '1.34.4',
  apiVersions = [],
  kubeconfig = null,
}: Rendering = {}): Promise<string> =>
  withValues(values, (valueArgs) =>
    runHelm([
      'template',
      release,
      CHART,
      '--namespace',
      namespace,
      '--kube-version',
      kubeVersion,
      ...apiVersions.flatMap((version) => ['--api-versions', version]),
      ...(kubeconfig === null ? [] : ['--dry-run=server', '--kubeconfig', kubeconfig]),
      ...valueArgs,
    ]),
  );

export const parseManifests = (text: string): readonly Manifest[] =>
  parseAllDocuments(text)
    .map((document): unknown => {
      if (document.errors.length > 0) throw new Error(String(document.errors[0]));
      return document.toJS();
    })
    .filter((manifest): manifest is Manifest => manifest !== null);

export const render = async (rendering: Rendering = {}): Promise<readonly Manifest[]> =>
  parseManifests(await renderText(rendering));

/** `Kind/name` of each, as a list that reads well in a difference. */
export const namesOf = (manifests: readonly Manifest[]): readonly string[] =>
  manifests.map(
    ({ kind, metadata: { namespace, name } }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
  );

export const find = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name} among:\n${namesOf(manifests).join('\n')}`);
  return found;
};

/** Every value that switches something on, so that whatever the chart can render is rendered. */
export const EVERYTHING = {
  gateway: { enabled: true, autoscaling: { enabled: true }, credentialSecrets: ['openai'] },
  demo: { enabled: true },
  database: { builtIn: { persistence: { enabled: true } } },
  monitoring: {
    serviceMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  },
};
