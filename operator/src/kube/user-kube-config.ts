/**
 * Which cluster a person means, by kubectl's own rules: the file that is named, else all of KUBECONFIG, else
 * ~/.kube/config, else the pod that this runs in.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { checkedConfig, loadKubeConfig } from './kube-config.ts';

export interface UserKubeConfigSource {
  /** Path of a kubeconfig, which then is the only one. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** The value of KUBECONFIG: files, of which those that are not there do not count. */
  readonly files: string | undefined;
  readonly home: string;
}

export interface UserKubeConfig {
  readonly config: KubeConfig;
  /** Of the context; `default` where it names none. */
  readonly namespace: string;
}

const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** @throws Error that says which file or which setting is wrong. */
export const loadUserKubeConfig = ({ kubeconfig, context, files, home }: UserKubeConfigSource): UserKubeConfig => {
  const named = kubeconfig === undefined ? presentFiles(files, home) : [kubeconfig];
  const config = named.length === 0 ? ofPod(context) : merged(named, context);
  return { config, namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default' };
};

const presentFiles = (files: string | undefined, home: string): readonly string[] => {
  const wanted = (files ?? '').split(delimiter).filter((file) => file !== '');
  return (wanted.length === 0 ? [join(home, '.kube', 'config')] : wanted).filter((file) => existsSync(file));
};

const ofPod = (context: string | undefined): KubeConfig => {
  if (!existsSync(POD_TOKEN))
    throw new Error('no kubeconfig: none is named by --kubeconfig or KUBECONFIG, and ~/.kube/config is not there');
  return loadKubeConfig({ kubeconfig: null, ...(context === undefined ? {} : { context }) });
};

/** The first file that has a name wins, whether of a cluster, a user or a context; the first current context counts. */
const merged = (files: readonly string[], context: string | undefined): KubeConfig => {
  const read = files.map((file) => readFile(file));
  const config = new KubeConfig();
  config.clusters = firstOfName(read.map(({ clusters }) => clusters));
  config.users = firstOfName(read.map(({ users }) => users));
  config.contexts = firstOfName(read.map(({ contexts }) => contexts));
  config.currentContext = context ?? read.map(({ currentContext }) => currentContext).find((name) => name !== '') ?? '';
  return checkedConfig(config, `in ${files.join(', ')}`);
};

const readFile = (file: string): KubeConfig => {
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch (cause) {
    throw new Error(`cannot read the kubeconfig ${file}`, { cause });
  }
  return config;
};

const firstOfName = <T extends { readonly name: string }>(lists: readonly (readonly T[])[]): T[] => {
  const byName = new Map<string, T>();
  for (const item of lists.flat()) if (!byName.has(item.name)) byName.set(item.name, item);
  return [...byName.values()];
};
