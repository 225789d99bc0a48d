/** One connection to the cluster that a person means, for the length of one command. */
import {
  forwardPort,
  isUnreachable,
  KubeFault,
  loadUserKubeConfig,
  makeKubeClient,
  makeKubeConnection,
  readText,
  requestAccountToken,
  type ForwardedPort,
  type KubeApi,
} from '@tollgate/operator/kube';
import { systemTimers, VERSION } from '@tollgate/runtime';
import { CliError, EXIT } from '../cli-error.ts';
import type { Io } from '../io.ts';
import type { ClusterOptions } from './options.ts';

export interface Cluster {
  readonly api: KubeApi;
  /** Of the context, or what -n says. */
  readonly namespace: string;
  /** What -n says, or of the context; null for all of them (-A). */
  readonly selected: string | null;
  /** A GET of the API server itself, such as `/version`. */
  readonly ask: (path: string) => Promise<Answer>;
  /** A GET that the API server hands on to a port of a pod. */
  readonly askPod: (pod: PodName, port: number, path: string) => Promise<Answer>;
  /** A token of this ServiceAccount for that audience, which holds for ten minutes. */
  readonly tokenOf: (account: AccountName, audience: string) => Promise<string>;
  /** A port of a pod as one on loopback; whoever asks for it closes it. */
  readonly forward: (pod: PodName, port: number) => Promise<ForwardedPort>;
  readonly signal: AbortSignal;
}

export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** Whatever came of it; `status` is 0 where no answer came, and then `body` says why. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

const ASK_MS = 10_000;
/** The shortest that the API server gives. */
const TOKEN_SECONDS = 600;

export const withCluster = async <T>(
  options: ClusterOptions,
  io: Io,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> => {
  const { config, namespace } = configOf(options, io);
  const connection = makeKubeConnection({ config, userAgent: `kubectl-tollgate/${VERSION}` });
  const ask = async (path: string): Promise<Answer> => {
    try {
      const what = `get ${path}`;
      const answer = await connection.send({ what, method: 'GET', path, signal: AbortSignal.timeout(ASK_MS) });
      return { status: answer.statusCode ?? 0, body: await readText(answer) };
    } catch (error) {
      return { status: 0, body: error instanceof Error ? error.message : String(error) };
    }
  };
  const chosen = options.namespace ?? namespace;
  try {
    return await work({
      api: makeKubeClient({ connection, timers: systemTimers, metrics: { add: () => undefined } }),
      namespace: chosen,
      selected: options.allNamespaces === true ? null : chosen,
      ask,
      askPod: (pod, port, path) => ask(`/api/v1/namespaces/${pod.namespace}/pods/${pod.name}:${port}/proxy${path}`),
      tokenOf: (account, audience) =>
        requestAccountToken(connection, {
          ...account,
          audience,
          seconds: TOKEN_SECONDS,
          signal: AbortSignal.timeout(ASK_MS),
        }),
      forward: (pod, port) => forwardPort({ config, pod, port }),
      signal: new AbortController().signal,
    });
  } catch (error) {
    throw error instanceof KubeFault ? explained(error, options) : error;
  } finally {
    connection.close();
  }
};

const configOf = ({ kubeconfig, context }: ClusterOptions, { env, home }: Io) => {
  try {
    return loadUserKubeConfig({
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(context === undefined ? {} : { context }),
      files: env['KUBECONFIG'],
      home,
    });
  } catch (cause) {
    throw new CliError(cause instanceof Error ? cause.message : String(cause), {
      todo: 'name a cluster with --kubeconfig and --context; `kubectl config get-contexts` lists them',
      exitCode: EXIT.usage,
      cause,
    });
  }
};

const explained = (fault: KubeFault, { namespace }: ClusterOptions): CliError => {
  if (isUnreachable(fault)) {
    return new CliError(`the cluster does not answer: ${fault.message}`, {
      todo: 'see whether kubectl reaches it: kubectl version; another one is chosen with --context',
      exitCode: EXIT.unavailable,
      cause: fault,
    });
  }
  const todo =
    fault.status === 401
      ? 'log in to the cluster again, as for kubectl'
      : fault.status === 403
        ? `ask for the right to do so, or choose another context${namespace === undefined ? '; -n stays within one namespace' : ''}`
        : 'run it again with --debug for the details';
  return new CliError(fault.message, { todo, cause: fault });
};
