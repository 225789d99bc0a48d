/**
 * What the operator may do in the API server, and why: the least that works. The chart renders exactly this, and its test
 * compares the two. Secrets are not in it: who wants a route's Secret looked for grants `get` on that one name.
 */
export interface RbacRule {
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly why: string;
}

/** A ClusterRole: these objects lie in every namespace. */
export const OPERATOR_CLUSTER_RULES: readonly RbacRule[] = [
  {
    groups: ['tollgate.dev'],
    resources: ['tokenbudgets', 'modelroutes', 'llminferenceservices'],
    verbs: ['list', 'watch'],
    why: 'The kinds it reconciles. It changes no spec.',
  },
  {
    groups: ['tollgate.dev'],
    resources: ['tokenbudgets/status', 'modelroutes/status', 'llminferenceservices/status'],
    verbs: ['patch'],
    why: 'Status, by server-side apply.',
  },
  {
    groups: [''],
    resources: ['namespaces'],
    verbs: ['list', 'watch'],
    why: 'Labels of namespaces: whom an organisation-wide budget is for, and where injection is on.',
  },
  {
    groups: [''],
    resources: ['pods'],
    verbs: ['list', 'watch'],
    why: 'Which pods carry the proxy, and which should and do not.',
  },
  {
    groups: ['batch'],
    resources: ['jobs'],
    verbs: ['get'],
    why: 'The CronJob behind a pod of a Job.',
  },
  {
    groups: [''],
    resources: ['services'],
    verbs: ['get', 'create', 'patch'],
    why: 'Is the Service of a route there; the Service of an LLMInferenceService, by server-side apply.',
  },
  {
    groups: ['apps'],
    resources: ['deployments'],
    verbs: ['get', 'list', 'watch', 'create', 'patch'],
    why: 'The Deployment of an LLMInferenceService, by server-side apply; of others only whether the name is taken.',
  },
  {
    groups: ['serving.kserve.io'],
    resources: ['llminferenceservices'],
    verbs: ['list', 'watch'],
    why: 'Addresses of KServe services, where it is installed. Never written.',
  },
  {
    groups: ['events.k8s.io'],
    resources: ['events'],
    verbs: ['create', 'patch'],
    why: 'Events on budgets, services and pods.',
  },
];

/** A Role in the operator's own namespace. A name cannot be asked for at creation, so `create` stands alone. */
export const operatorNamespaceRules = (lease: string): readonly RbacRule[] => [
  {
    groups: ['coordination.k8s.io'],
    resources: ['leases'],
    verbs: ['create'],
    why: 'The lease of the leader, where there is none yet.',
  },
  {
    groups: ['coordination.k8s.io'],
    resources: ['leases'],
    verbs: ['get', 'update'],
    resourceNames: [lease],
    why: 'Taking, renewing and letting go of that lease.',
  },
];
