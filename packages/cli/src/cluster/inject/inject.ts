/** `inject`: manifests from a file or stdin, printed with the proxy in their pod templates. */
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { isMap, type InjectionSettings, type NamespaceFacts } from '@tollgate/operator/injection';
import { MODEL_ROUTES, minorOf, namespaceMode, NAMESPACES, toKeyedRoute } from '@tollgate/operator/inspection';
import { listAll, type KubeObject } from '@tollgate/operator/kube';
import { parseAllDocuments } from 'yaml';
import { CliError, EXIT } from '../../cli-error.ts';
import type { Io } from '../../io.ts';
import { installedSettings, settingsOfFile } from '../injection-settings.ts';
import { findInstallation } from '../installation.ts';
import { withCluster, type Cluster } from '../open-cluster.ts';
import type { ClusterOptions } from '../options.ts';
import { told, type Told } from '../told.ts';
import { injectManifests } from './inject-manifests.ts';

export interface InjectOptions extends ClusterOptions {
  readonly filename: string;
  readonly settings?: string;
  readonly systemNamespace?: string;
}

export const inject = async (options: InjectOptions, io: Io): Promise<void> => {
  const source = options.filename === '-' ? 'stdin' : options.filename;
  const manifests = await readManifests(options.filename);
  const known = await knowledge(options, manifests, io);
  const { text, remarks, faults } = injectManifests(manifests, known);
  if (faults.length > 0) {
    throw new CliError(`${source}: ${faults.join('; ')}`, {
      todo: 'correct it and run it again; nothing was printed',
      exitCode: EXIT.usage,
    });
  }
  io.stdout(text);
  io.stderr(remarks.map((remark) => `${remark}\n`).join(''));
};

const readManifests = async (filename: string): Promise<string> => {
  if (filename === '-') return readAll(process.stdin);
  try {
    return await readFile(filename, 'utf8');
  } catch (cause) {
    throw new CliError(`${filename} cannot be read`, {
      todo: 'check the name and its permissions; - reads what is piped in',
      exitCode: EXIT.usage,
      cause,
    });
  }
};

interface Knowledge {
  readonly settings: InjectionSettings;
  readonly namespaceOf: (manifest: unknown) => NamespaceFacts;
}

const knowledge = async (options: InjectOptions, manifests: string, io: Io): Promise<Knowledge> => {
  if (options.settings !== undefined) {
    const settings = await settingsOfFile(options.settings);
    const name = options.namespace ?? 'default';
    io.stderr('no cluster is asked: labels of namespaces and keys of ModelRoutes are left out\n');
    return {
      settings,
      namespaceOf: (manifest) => ({
        name: namespaceIn(manifest) ?? name,
        mode: null,
        routeKeys: [],
        kubernetesMinor: null,
      }),
    };
  }
  return withCluster(options, io, (cluster) => askedOf(cluster, manifests, options.systemNamespace));
};

const askedOf = async (
  cluster: Cluster,
  manifests: string,
  systemNamespace: string | undefined,
): Promise<Knowledge> => {
  const installation = readable(await told(findInstallation(cluster, systemNamespace)));
  if (installation === null) {
    throw new CliError('Tollgate is not installed in this cluster, so how pods are injected is not known', {
      todo: 'choose another with --context, or name the settings with --settings FILE',
    });
  }
  const settings = readable(await told(installedSettings(cluster, installation)));
  const names = new Set([cluster.namespace, ...namespacesIn(manifests)]);
  const minor = minorOf((await cluster.ask('/version')).body);
  const facts = new Map<string, NamespaceFacts>();
  for (const name of names) facts.set(name, await namespaceFacts(cluster, name, minor));
  const here = { name: cluster.namespace, mode: null, routeKeys: [], kubernetesMinor: minor };
  return {
    settings,
    namespaceOf: (manifest) => facts.get(namespaceIn(manifest) ?? cluster.namespace) ?? here,
  };
};

/** @throws CliError where its reader may not see it. */
const readable = <T>(reading: Told<T>): T => {
  if (reading.known) return reading.value;
  throw new CliError(`how pods are injected could not be read: ${reading.why}`, {
    todo: 'name the settings with --settings FILE: the ConfigMap NAME-injection of the namespace of Tollgate, which who runs it can hand out',
  });
};

/** One that is not there yet has no label and no route. */
const namespaceFacts = async (
  { api, signal }: Cluster,
  name: string,
  kubernetesMinor: number | null,
): Promise<NamespaceFacts> => {
  const namespace = await told(api.get(NAMESPACES, { name }, { metadataOnly: true }));
  const labels = namespace.known ? namespace.value?.metadata.labels : undefined;
  const keep = (route: KubeObject) => toKeyedRoute(route).keys;
  const routes = await told(listAll({ api, kind: MODEL_ROUTES, selection: { namespace: name }, signal, keep }));
  return {
    name,
    mode: namespaceMode(labels),
    routeKeys: routes.known ? routes.value.items : [],
    kubernetesMinor,
  };
};

const namespacesIn = (manifests: string): readonly string[] =>
  parseAllDocuments(manifests).flatMap((document) => {
    const manifest: unknown = document.errors.length > 0 ? null : document.toJS();
    const items = isMap(manifest) && Array.isArray(manifest['items']) ? manifest['items'] : [manifest];
    return items.flatMap((item) => namespaceIn(item) ?? []);
  });

const namespaceIn = (manifest: unknown): string | null => {
  const metadata = isMap(manifest) ? manifest['metadata'] : undefined;
  const namespace = isMap(metadata) ? metadata['namespace'] : undefined;
  return typeof namespace === 'string' && namespace !== '' ? namespace : null;
};
