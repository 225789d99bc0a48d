/** The options of every command that asks a Kubernetes cluster, as kubectl has them. */

export interface ClusterOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
}
