/**
 * What lets the operator see whether one Secret is there: one verb on one name, of which it reads `metadata` alone. The
 * condition says it as commands and `kubectl tollgate grant secret` makes it; both are this.
 */

export interface SecretGrant {
  /** Of the Secret. */
  readonly name: string;
  readonly namespace: string;
  /** The operator's own ServiceAccount, `namespace:name`, as kubectl takes it. */
  readonly operatorAccount: string;
}

/** The name of the Role and its binding. A Role may have a longer name than most objects, so none is cut. */
export const secretRole = (secret: string): string => `tollgate-sees-${secret}`;

/** A Role and its RoleBinding. */
export const secretGrantObjects = ({ name, namespace, operatorAccount }: SecretGrant) => {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const role = secretRole(name);
  const [accountNamespace = '', account = ''] = operatorAccount.split(':');
  return [
    {
      apiVersion,
      kind: 'Role',
      metadata: { name: role, namespace },
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs: ['get'] }],
    },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata: { name: role, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: accountNamespace }],
    },
  ] as const;
};

/** For people, with and without the plugin. */
export const howToGrant = ({ name, namespace, operatorAccount }: SecretGrant): string => {
  const role = secretRole(name);
  return (
    `Grant it: kubectl tollgate grant secret ${name} -n ${namespace} --apply (the same by hand: ` +
    `kubectl create role ${role} -n ${namespace} --verb=get --resource=secrets --resource-name=${name} && ` +
    `kubectl create rolebinding ${role} -n ${namespace} --role=${role} --serviceaccount=${operatorAccount})`
  );
};
