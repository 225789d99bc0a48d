/** What is to be run in which order so that no app is left with a proxy that asks nobody. Pure. */
import { INJECT, INJECTION } from '@tollgate/operator/injection';
import type { ReleaseObject, UninstallFacts } from './facts.ts';

export interface UninstallPlan {
  /** In order. */
  readonly steps: readonly Step[];
  readonly goes: readonly string[];
  readonly stays: readonly string[];
  readonly carriers: readonly string[];
  /** Budgets that have spent in their window. */
  readonly spending: readonly string[];
  readonly unread: readonly string[];
}

export interface Step {
  readonly why: string;
  readonly commands: readonly string[];
}

export const planUninstall = (facts: UninstallFacts): UninstallPlan => {
  const { installation, objects, carriers, budgets, unread } = facts;
  const helms = objects.filter(({ isHelms }) => isHelms);
  const left = objects.filter(({ isHelms }) => !isHelms);
  return {
    steps: [
      ...optOut(facts),
      {
        why: 'Remove the release; the webhooks go with it.',
        commands: [`helm uninstall ${installation.release} -n ${installation.namespace}`],
      },
      ...leftovers(left),
      ...definitions(left, facts),
    ],
    goes: helms.map(written),
    stays: left.map(written),
    carriers: carriers.map(({ namespace, workload, pods }) => `${workload} -n ${namespace} (${counted(pods, 'pod')})`),
    spending: budgets
      .filter(({ spent }) => /[1-9]/.test(spent))
      .map(({ namespace, name, spent }) => `tokenbudget/${name} -n ${namespace} (${spent})`),
    unread,
  };
};

const written = ({ kind, name, namespace }: ReleaseObject): string =>
  `${kind}/${name}${namespace === null ? '' : ` -n ${namespace}`}`;

/** Before the server goes: a proxy without one refuses the calls under Hard budgets once what it holds is spent. */
const optOut = ({ carriers, namespaces }: UninstallFacts): readonly Step[] => {
  const labels = namespaces.map(({ name }) => `kubectl label namespace ${name} ${INJECTION}-`);
  const annotated = carriers.filter(({ workload }) => ANNOTATED.test(workload));
  const loose = carriers.filter(({ workload }) => !ANNOTATED.test(workload));
  const commands = [
    ...labels,
    ...annotated.map(({ namespace, workload }) => `kubectl annotate ${workload} -n ${namespace} ${INJECT}-`),
    // Where the label of the namespace was what asked, nothing changes in the workload: it has to be told.
    ...annotated
      .filter(({ namespace, workload }) => ROLLED.test(workload) && namespaces.some(({ name }) => name === namespace))
      .map(({ namespace, workload }) => `kubectl rollout restart ${workload} -n ${namespace}`),
    ...loose.map(({ namespace, workload }) => `kubectl delete ${workload} -n ${namespace}`),
  ];
  const wait = 'kubectl get pods -A -l tollgate.dev/injected=true';
  return commands.length === 0
    ? []
    : [
        {
          why: 'Take the proxy out of the pods that carry it. A template that names the proxy itself is changed where it is kept.',
          commands,
        },
        { why: 'Wait until this lists none.', commands: [wait] },
      ];
};

const ANNOTATED = /^(deployment|statefulset|daemonset|cronjob)\//;
const ROLLED = /^(deployment|statefulset|daemonset)\//;

/** Made at run time or kept on purpose: passwords, certificates, volumes. */
const leftovers = (left: readonly ReleaseObject[]): readonly Step[] => {
  const commands = left
    .filter(({ isDefinition }) => !isDefinition)
    .map((object) => `kubectl delete ${written(object)}`);
  return commands.length === 0
    ? []
    : [
        {
          why: 'Only where it is not to come back: passwords, certificates and volumes. The ledger goes with them.',
          commands,
        },
      ];
};

const definitions = (
  left: readonly ReleaseObject[],
  { budgets, routes, services }: UninstallFacts,
): readonly Step[] => {
  const names = left.filter(({ isDefinition }) => isDefinition).map(({ name }) => name);
  if (names.length === 0) return [];
  const count = `${counted(budgets.length, 'budget')}, ${counted(routes, 'route')} and ${counted(services, 'inference service')}`;
  return [
    {
      why: `Only where nothing is to be kept: removes ${count} from all namespaces.`,
      commands: [`kubectl delete crd ${names.join(' ')}`],
    },
  ];
};

const counted = (count: number, what: string): string => `${String(count)} ${what}${count === 1 ? '' : 's'}`;
