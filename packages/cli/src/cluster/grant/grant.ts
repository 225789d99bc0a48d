/** `grant`: prints the objects that give a right, or applies them. */
import type { KubeKind, KubeObject } from '@tollgate/operator/kube';
import { stringify } from 'yaml';
import { CliError } from '../../cli-error.ts';
import type { Io } from '../../io.ts';
import { findInstallation } from '../installation.ts';
import { CLUSTER_ROLES, ROLE_BINDINGS, ROLES } from '../kinds.ts';
import { withCluster, type Cluster } from '../open-cluster.ts';
import type { ClusterOptions } from '../options.ts';
import { told } from '../told.ts';
import { BUDGET_ADMIN, budgetAdminGrant, secretGrant, type Grantee } from './grants.ts';

export interface GrantOptions extends ClusterOptions {
  readonly apply?: boolean;
  readonly systemNamespace?: string;
}

/** Lets the operator see whether a Secret is there. */
export const grantSecret = (name: string, options: GrantOptions, io: Io): Promise<void> =>
  withCluster(options, io, async (cluster) => {
    const operatorAccount = await accountOf(cluster, options.systemNamespace);
    await give(cluster, secretGrant({ name, namespace: cluster.namespace, operatorAccount }), options, io);
  });

export const grantBudgetAdmin = (grantee: Grantee, options: GrantOptions, io: Io): Promise<void> =>
  withCluster(options, io, async (cluster) => {
    const role = await told(cluster.api.get(CLUSTER_ROLES, { name: BUDGET_ADMIN }, { metadataOnly: true }));
    if (role.known && role.value === null) {
      throw new CliError(`there is no ClusterRole ${BUDGET_ADMIN} in this cluster`, {
        todo: 'install Tollgate first; its chart brings the role',
      });
    }
    await give(cluster, budgetAdminGrant(grantee, cluster.namespace), options, io);
  });

/** The ServiceAccount of the operator has the name of its Deployment. */
const accountOf = async (cluster: Cluster, systemNamespace: string | undefined): Promise<string> => {
  const found = await told(findInstallation(cluster, systemNamespace));
  if (!found.known) {
    throw new CliError(`whose account the operator has could not be read: ${found.why}`, {
      todo: 'the condition ResolvedRefs of the ModelRoute holds the same by hand: kubectl describe modelroutes',
    });
  }
  const installation = found.value;
  if (installation === null) {
    throw new CliError('Tollgate is not installed in this cluster, so there is nobody to grant it to', {
      todo: 'choose another with --context, or say where it is with --system-namespace',
    });
  }
  return `${installation.namespace}:${installation.name}-operator`;
};

const KIND_OF: Readonly<Record<string, KubeKind>> = { Role: ROLES, RoleBinding: ROLE_BINDINGS };
const FIELD_MANAGER = 'kubectl-tollgate';

const give = async (
  { api }: Cluster,
  objects: readonly KubeObject[],
  { apply }: GrantOptions,
  io: Io,
): Promise<void> => {
  if (apply !== true) {
    io.stdout(objects.map((object) => stringify(object)).join('---\n'));
    io.stderr('nothing was changed: pipe it to `kubectl apply -f -`, or run it again with --apply\n');
    return;
  }
  for (const object of objects) {
    const kind = KIND_OF[object.kind ?? ''];
    if (kind === undefined) throw new Error(`no kind ${object.kind ?? ''} is known to grant`);
    await api.apply(kind, object, { fieldManager: FIELD_MANAGER });
    const { name, namespace = '' } = object.metadata;
    io.stdout(`${kind.kind.toLowerCase()}/${name} -n ${namespace} applied\n`);
  }
};
