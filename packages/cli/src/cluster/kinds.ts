/** Kinds that only the command reads, as the API server names them. */
import { WORKLOAD_KINDS, type WorkloadKind } from '@tollgate/operator/injection';
import type { KubeKind } from '@tollgate/operator/kube';

const kindOf = (group: string, kind: string, plural: string, namespaced = true, version = 'v1'): KubeKind => ({
  group,
  version,
  kind,
  plural,
  namespaced,
});

const WORKLOADS: Readonly<Record<WorkloadKind, KubeKind>> = {
  Deployment: kindOf('apps', 'Deployment', 'deployments'),
  StatefulSet: kindOf('apps', 'StatefulSet', 'statefulsets'),
  DaemonSet: kindOf('apps', 'DaemonSet', 'daemonsets'),
  CronJob: kindOf('batch', 'CronJob', 'cronjobs'),
  Job: kindOf('batch', 'Job', 'jobs'),
};

export const WORKLOAD_API_KINDS: readonly KubeKind[] = WORKLOAD_KINDS.map((kind) => WORKLOADS[kind]);

export const CONFIG_MAPS = kindOf('', 'ConfigMap', 'configmaps');
export const SERVICE_ACCOUNTS = kindOf('', 'ServiceAccount', 'serviceaccounts');
export const CUSTOM_RESOURCES = kindOf(
  'apiextensions.k8s.io',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  false,
);
export const POLICY_BINDINGS = kindOf(
  'admissionregistration.k8s.io',
  'ValidatingAdmissionPolicyBinding',
  'validatingadmissionpolicybindings',
  false,
);
/** Newest first: a cluster serves one of them, or none. */
export const MUTATING_POLICY_BINDINGS: readonly KubeKind[] = ['v1', 'v1beta1'].map((version) =>
  kindOf(
    'admissionregistration.k8s.io',
    'MutatingAdmissionPolicyBinding',
    'mutatingadmissionpolicybindings',
    false,
    version,
  ),
);

export const ROLES = kindOf('rbac.authorization.k8s.io', 'Role', 'roles');
export const ROLE_BINDINGS = kindOf('rbac.authorization.k8s.io', 'RoleBinding', 'rolebindings');
export const CLUSTER_ROLES = kindOf('rbac.authorization.k8s.io', 'ClusterRole', 'clusterroles', false);

/** All that helm makes of the chart, but for what lies behind Secrets, whose names are all that is read. */
export const RELEASE_KINDS: readonly KubeKind[] = [
  WORKLOADS.Deployment,
  WORKLOADS.StatefulSet,
  WORKLOADS.Job,
  kindOf('', 'Service', 'services'),
  kindOf('', 'ServiceAccount', 'serviceaccounts'),
  CONFIG_MAPS,
  kindOf('', 'Secret', 'secrets'),
  kindOf('', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  ROLES,
  ROLE_BINDINGS,
  kindOf('policy', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  kindOf('networking.k8s.io', 'NetworkPolicy', 'networkpolicies'),
  kindOf('autoscaling', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', true, 'v2'),
  CLUSTER_ROLES,
  kindOf('rbac.authorization.k8s.io', 'ClusterRoleBinding', 'clusterrolebindings', false),
  kindOf('scheduling.k8s.io', 'PriorityClass', 'priorityclasses', false),
  kindOf('admissionregistration.k8s.io', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', false),
  kindOf('admissionregistration.k8s.io', 'ValidatingAdmissionPolicy', 'validatingadmissionpolicies', false),
  POLICY_BINDINGS,
  CUSTOM_RESOURCES,
];
