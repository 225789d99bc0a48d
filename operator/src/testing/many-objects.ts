/** A cluster's worth of budgets and of pods' metadata, spread evenly over namespaces. Pure. */
import { INJECT, INJECTED, PROXY_CONTAINER, STATUS } from '../injection/names.ts';
import type { KubeObject } from '../kube/kube-object.ts';

export interface Crowd {
  readonly namespaces: readonly string[];
  /** Where budgets of the whole cluster lie. */
  readonly system: string;
  readonly budgets: number;
  readonly pods: number;
}

export interface BudgetSpec {
  readonly limits: readonly object[];
  readonly namespaceSelector?: object;
}

export type BudgetManifest = KubeObject & { readonly spec: BudgetSpec };
export type PodManifest = KubeObject & { readonly spec: object };

/** One of so many is for all namespaces. */
const WIDE_EVERY = 50;
const PODS_OF_A_DEPLOYMENT = 10;

export const manyBudgets = ({ namespaces, system, budgets }: Crowd): readonly BudgetManifest[] =>
  countTo(budgets).map((index) => {
    const isWide = index % WIDE_EVERY === 0;
    const namespace = isWide ? system : nth(namespaces, index);
    return {
      metadata: { name: `budget-${index}`, namespace, labels: { 'app.kubernetes.io/part-of': 'platform' } },
      spec: budgetSpec(5, isWide),
    };
  });

/** `dollars` a day. */
export const budgetSpec = (dollars: number, isWide: boolean): BudgetSpec => ({
  ...(isWide ? { namespaceSelector: {} } : {}),
  limits: [
    { name: 'daily', cost: { max: `${dollars}.00` }, period: 'Day', warnAtPercent: [50, 80] },
    { name: 'hourly-requests', requests: { max: 10_000 }, period: 'Hour' },
  ],
});

/** Every other one carries the proxy; of the first namespace the others ask for it and lack it. */
export const manyPods = ({ namespaces, pods }: Crowd): readonly PodManifest[] =>
  countTo(pods).map((index) => {
    const namespace = nth(namespaces, Math.floor(index / 2));
    return aPod(index, { namespace, asks: namespace === namespaces[0] });
  });

/** How many of the first namespace's pods ask for the proxy and lack it. */
export const lackingPods = (crowd: Crowd): number =>
  manyPods(crowd).filter(({ metadata: { annotations = {} } }) => INJECT in annotations && !(STATUS in annotations))
    .length;

const aPod = (
  index: number,
  { namespace, asks }: { readonly namespace: string; readonly asks: boolean },
): PodManifest => {
  const isInjected = index % 2 === 0;
  const app = `app-${Math.floor(index / PODS_OF_A_DEPLOYMENT)}`;
  const hash = '5d4f8c7b6f';
  return {
    metadata: {
      name: `${app}-${hash}-${index}`,
      namespace,
      labels: {
        'app.kubernetes.io/name': app,
        'app.kubernetes.io/version': '1.27.3',
        'pod-template-hash': hash,
        ...(isInjected ? { [INJECTED]: 'true' } : {}),
      },
      annotations: {
        'prometheus.io/scrape': 'true',
        ...(isInjected || asks ? { [INJECT]: 'true' } : {}),
        ...(isInjected ? { [STATUS]: JSON.stringify({ version: '0.1.0', configHash: '9f86d081884c7d65' }) } : {}),
      },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-${hash}`, uid: `rs-${app}`, controller: true },
      ],
    },
    spec: {
      ...(isInjected
        ? { initContainers: [{ name: PROXY_CONTAINER, image: 'tollgate/proxy:0.1.0', restartPolicy: 'Always' }] }
        : {}),
      containers: [{ name: 'app', image: 'app:1.27.3', env: [{ name: 'LOG_LEVEL', value: 'info' }] }],
    },
  };
};

const countTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

const nth = <T>(list: readonly T[], index: number): T => {
  const found = list[index % list.length];
  if (found === undefined) throw new RangeError('an empty list has no member');
  return found;
};
