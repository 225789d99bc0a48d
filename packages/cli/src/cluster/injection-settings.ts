/** How pods are injected: as the installation says, a file, or, where there is neither, the chart's defaults. */
import { readFile } from 'node:fs/promises';
import { InjectionSettingsSchema, isMap, type InjectionSettings } from '@tollgate/operator/injection';
import { namedSettings } from '@tollgate/operator/inspection';
import type { KubeObject } from '@tollgate/operator/kube';
import { parse } from 'yaml';
import { CliError, EXIT } from '../cli-error.ts';
import { CONFIG_MAPS } from './kinds.ts';
import type { Installation } from './installation.ts';
import type { Cluster } from './open-cluster.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const KEY = 'injection.yaml';

/** @throws CliError where the installation's own cannot be read. */
export const installedSettings = async (
  { api }: Cluster,
  { namespace, name }: Installation,
): Promise<InjectionSettings> => {
  const at = { namespace, name: `${name}-injection` };
  const map = await api.get<ConfigMap>(CONFIG_MAPS, at);
  const text = map?.data?.[KEY];
  const where = `ConfigMap ${at.namespace}/${at.name}`;
  if (text === undefined) {
    throw new CliError(`${where} is not there, or has no key ${KEY}`, {
      todo: 'repair the installation with helm upgrade, or name the settings with --settings where that is taken',
    });
  }
  return parseSettings(text, where);
};

/** Either the settings themselves or the ConfigMap that holds them. */
export const settingsOfFile = async (path: string): Promise<InjectionSettings> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new CliError(`${path} cannot be read`, {
      todo: 'check the name and its permissions',
      exitCode: EXIT.usage,
      cause,
    });
  }
  return parseSettings(text, path);
};

/** Of an installation that is yet to come: `scan` runs before there is one. */
export const defaultSettings = (): InjectionSettings =>
  namedSettings(
    InjectionSettingsSchema.parse({
      proxyImage: 'docker.io/tollgate/tollgate-proxy',
      serverUrl: 'http://tollgate-server.tollgate-system.svc:4180',
      excludedNamespaces: ['kube-system', 'kube-public', 'kube-node-lease'],
      allowPrivateUpstreams: true,
    }),
  );

const parseSettings = (text: string, where: string): InjectionSettings => {
  const wrong = (what: string, cause?: unknown): CliError =>
    new CliError(`${where} holds no settings of injection: ${what}`, {
      todo: 'take them from `kubectl get configmap -n tollgate-system tollgate-injection`, or from docs/configuration.md',
      exitCode: EXIT.usage,
      cause,
    });
  let values: unknown;
  try {
    values = parse(text);
  } catch (cause) {
    throw wrong('it is no YAML', cause);
  }
  if (isMap(values) && isMap(values['data']) && typeof values['data'][KEY] === 'string') {
    return parseSettings(values['data'][KEY], where);
  }
  const parsed = InjectionSettingsSchema.safeParse(values);
  if (parsed.success) return namedSettings(parsed.data);
  throw wrong(parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; '));
};
