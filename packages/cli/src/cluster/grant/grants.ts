/** What `grant` makes: least rights, as objects that are applied or printed. Pure. */
import { secretGrantObjects, type SecretGrant } from '@tollgate/operator/inspection';
import type { KubeObject } from '@tollgate/operator/kube';

/** Lets the operator see whether a Secret that a route names is there. */
export const secretGrant = (grant: SecretGrant): readonly KubeObject[] => secretGrantObjects(grant);

export interface Grantee {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  /** A ServiceAccount's is `namespace:name`. */
  readonly name: string;
}

/** The ClusterRole of the chart; nobody is bound to it by default. */
export const BUDGET_ADMIN = 'tollgate-budget-admin';

export const budgetAdminGrant = (grantee: Grantee, namespace: string): readonly KubeObject[] => [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: bindingName(grantee), namespace },
    ...{
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: BUDGET_ADMIN },
      subjects: [subjectOf(grantee)],
    },
  },
];

/** One for each grantee, so that granting to one takes nothing from another. What a name may not hold is told apart by its code. */
const bindingName = ({ kind, name }: Grantee): string =>
  `${BUDGET_ADMIN}:${kind.toLowerCase()}:${name.replace(/[/%]/g, (character) => `_${character.charCodeAt(0).toString(16)}`)}`;

const subjectOf = ({ kind, name }: Grantee): object => {
  if (kind !== 'ServiceAccount') return { kind, name, apiGroup: 'rbac.authorization.k8s.io' };
  const [namespace = '', account = ''] = name.split(':');
  return { kind, name: account, namespace };
};
