/** Each way in which the server of a cluster cannot be reached, with what to do about it. Pure. */
import { KubeFault } from '@tollgate/operator/kube';
import { CliError, EXIT } from '../../cli-error.ts';
import type { AccountName } from '../open-cluster.ts';

/** What a step asks of RBAC, in the words of a Role. */
export interface Right {
  /** After "you may not". */
  readonly doing: string;
  readonly verbs: string;
  readonly resource: string;
  readonly namespace: string;
}

export const RIGHTS = {
  find: (namespace: string): Right => ({
    doing: `list Deployments in namespace ${namespace}, by which Tollgate is found`,
    verbs: 'list',
    resource: 'deployments.apps',
    namespace,
  }),
  pods: (namespace: string): Right => ({
    doing: `list the server's pods in namespace ${namespace}`,
    verbs: 'list',
    resource: 'pods',
    namespace,
  }),
  token: ({ namespace, name }: AccountName): Right => ({
    doing: `ask for a token of ServiceAccount ${namespace}/${name}`,
    verbs: 'create',
    resource: 'serviceaccounts/token',
    namespace,
  }),
  forward: (namespace: string): Right => ({
    doing: `forward a port of the server's pod in namespace ${namespace}`,
    verbs: 'get and create',
    resource: 'pods/portforward',
    namespace,
  }),
} as const;

/** A refusal (403) by the right that is missing; any other fault as it is. */
export const named = (error: unknown, right: Right): unknown =>
  error instanceof KubeFault && error.status === 403
    ? new CliError(`you may not ${right.doing}`, {
        todo: `ask for a Role there with ${right.verbs} on ${right.resource}; without it: kubectl get tokenbudgets -n NAMESPACE shows what a namespace spends`,
        cause: error,
      })
    : error;

export const notInstalled = (namespace: string | undefined): CliError =>
  new CliError(`no Tollgate is found in ${namespace === undefined ? 'this cluster' : `namespace ${namespace}`}`, {
    todo: 'choose another cluster with --context, or say with --system-namespace where it is installed; on this machine `tollgate` asks `tollgate serve`',
    exitCode: EXIT.unavailable,
  });

export const notReady = ({
  namespace,
  selector,
}: {
  readonly namespace: string;
  readonly selector: string;
}): CliError =>
  new CliError(`no pod of the server is ready in namespace ${namespace}`, {
    todo: `see why: kubectl tollgate check, or kubectl get pods -n ${namespace} -l ${selector}`,
    exitCode: EXIT.unavailable,
  });

export const noAccount = ({ namespace, name }: AccountName, cause: unknown): CliError =>
  new CliError(`there is no ServiceAccount ${name} in namespace ${namespace}`, {
    todo: `see which there are: kubectl get serviceaccounts -n ${namespace}; choose one with -n and --service-account`,
    exitCode: EXIT.usage,
    cause,
  });

export const noWay = (pod: string, namespace: string, cause: KubeFault): CliError =>
  new CliError(`the server's pod ${pod} cannot be reached: ${cause.message}`, {
    todo: `see whether kubectl reaches it: kubectl port-forward -n ${namespace} pod/${pod} 4180`,
    exitCode: EXIT.unavailable,
    cause,
  });
