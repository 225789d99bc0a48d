/** Where Tollgate is installed, and as what: by the labels that the chart puts on all that it makes. */
import { DEPLOYMENTS } from '@tollgate/operator/inspection';
import { KubeFault, listAll, type KubeObject } from '@tollgate/operator/kube';
import { CliError, EXIT } from '../cli-error.ts';
import type { Cluster } from './open-cluster.ts';

export interface Installation {
  readonly namespace: string;
  /** Of the helm release. */
  readonly release: string;
  /** What the names of its objects begin with. */
  readonly name: string;
  readonly version: string;
  readonly programs: readonly Program[];
}

export type Component = (typeof COMPONENTS)[number];
export const COMPONENTS = ['operator', 'injector', 'server', 'gateway'] as const;

export interface Program {
  readonly component: Component;
  readonly deployment: string;
  readonly wanted: number;
  readonly ready: number;
  /** The value of `TOLLGATE_LEASE_NAME`; null where the program has none. */
  readonly lease: string | null;
}

interface Deployment extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
  readonly status?: { readonly readyReplicas?: number };
}

const LABEL = 'app.kubernetes.io/';
export const SELECTOR = `${LABEL}name=tollgate,${LABEL}part-of=tollgate`;
export const RELEASE_LABEL = `${LABEL}instance`;
/** What the chart's README says, for those who may not list all namespaces. */
export const USUAL_NAMESPACE = 'tollgate-system';

/**
 * Null where there is none.
 *
 * @throws CliError where there are several and `namespace` does not say which.
 */
export const findInstallation = async (cluster: Cluster, namespace?: string): Promise<Installation | null> => {
  const deployments = await deploymentsOf(cluster, namespace);
  const byRelease = Map.groupBy(
    deployments,
    ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.labels?.[RELEASE_LABEL] ?? ''}`,
  );
  const found = [...byRelease.values()].flatMap((of) => installationOf(of) ?? []);
  if (found.length > 1) {
    throw new CliError(`there are several installations: ${found.map((each) => each.namespace).join(', ')}`, {
      todo: 'say which one with --system-namespace',
      exitCode: EXIT.usage,
    });
  }
  return found[0] ?? null;
};

const deploymentsOf = async (
  { api, signal }: Cluster,
  namespace: string | undefined,
): Promise<readonly Deployment[]> => {
  const list = async (within: string | undefined): Promise<readonly Deployment[]> => {
    const selection = { labelSelector: SELECTOR, ...(within === undefined ? {} : { namespace: within }) };
    const keep = (deployment: Deployment): Deployment => deployment;
    return (await listAll<Deployment, Deployment>({ api, kind: DEPLOYMENTS, selection, signal, keep })).items;
  };
  try {
    return await list(namespace);
  } catch (error) {
    if (namespace !== undefined || !(error instanceof KubeFault) || error.status !== 403) throw error;
    return list(USUAL_NAMESPACE);
  }
};

/** The operator is in every installation. */
const installationOf = (deployments: readonly Deployment[]): Installation | null => {
  const programs = deployments.flatMap((deployment) => programOf(deployment) ?? []);
  const operator = deployments.find(({ metadata }) => metadata.labels?.[`${LABEL}component`] === 'operator');
  if (operator === undefined) return null;
  const { name, namespace = '', labels = {} } = operator.metadata;
  return {
    namespace,
    release: labels[RELEASE_LABEL] ?? '',
    name: name.replace(/-operator$/, ''),
    version: labels[`${LABEL}version`] ?? '',
    programs,
  };
};

const programOf = ({ metadata, spec, status }: Deployment): Program | null => {
  const component = COMPONENTS.find((known) => known === metadata.labels?.[`${LABEL}component`]);
  if (component === undefined) return null;
  const env = spec?.template?.spec?.containers?.flatMap((container) => container.env ?? []) ?? [];
  return {
    component,
    deployment: metadata.name,
    wanted: spec?.replicas ?? 1,
    ready: status?.readyReplicas ?? 0,
    lease: env.find(({ name }) => name === 'TOLLGATE_LEASE_NAME')?.value ?? null,
  };
};

/** Selects the pods of a release, those of helm's hooks among them. */
export const podsOfRelease = (release: string): string => `${LABEL}name=tollgate,${RELEASE_LABEL}=${release}`;

/** Selects the pods of one program. */
export const podsOfProgram = ({ release }: Installation, component: Component): string =>
  `${LABEL}name=tollgate,${LABEL}instance=${release},${LABEL}component=${component}`;

export const ofRelease = ({ release }: Installation): string => `${LABEL}instance=${release},${LABEL}part-of=tollgate`;
