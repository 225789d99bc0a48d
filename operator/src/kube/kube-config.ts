/** Which API server, and who asks it: a kubeconfig file, or what Kubernetes mounts into every pod. */
import { KubeConfig } from '@kubernetes/client-node';

export interface KubeConfigSource {
  /** Path of a kubeconfig; null takes the pod's own ServiceAccount. */
  readonly kubeconfig: string | null;
  /** A context of that file; without it the file's current one. */
  readonly context?: string;
}

/**
 * @throws Error that says which file or which setting is wrong.
 */
export const loadKubeConfig = ({ kubeconfig, context }: KubeConfigSource): KubeConfig => {
  const config = new KubeConfig();
  if (kubeconfig === null) config.loadFromCluster();
  else loadFile(config, kubeconfig);
  if (context !== undefined) config.setCurrentContext(context);
  return checkedConfig(config, kubeconfig === null ? 'in this pod' : `in ${kubeconfig}`);
};

/** @throws Error where its current context leads to no server. */
export const checkedConfig = (config: KubeConfig, where: string): KubeConfig => {
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error(`no cluster ${where}: context ${config.getCurrentContext()} is missing or names none`);
  // Outside a pod the address is made of two variables that are not there.
  if (!URL.canParse(cluster.server) || cluster.server.includes('undefined'))
    throw new Error(`no API server ${where}: run in a pod, or name a kubeconfig`);
  return config;
};

const loadFile = (config: KubeConfig, file: string): void => {
  try {
    config.loadFromFile(file);
  } catch (cause) {
    throw new Error(`cannot read the kubeconfig ${file}`, { cause });
  }
};
