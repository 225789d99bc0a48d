/** Objects as the API server has them, and views as the server gives them: a test states only what it is about. */
import type { KubeObject } from '../../kube/kube-object.ts';
import { makeObjectCache, type ObjectStore } from '../../kube/object-cache.ts';
import type { BudgetView, RouteView } from '../../programming/server-views.ts';
import type { StoredObject } from '../stored-status.ts';

export const NOW = Date.UTC(2026, 10, 21, 12);
export const WINDOW_START = Date.UTC(2026, 10, 21);
export const WINDOW_END = Date.UTC(2026, 10, 22);

export interface StatedObject {
  readonly name?: string;
  readonly namespace?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly status?: object;
}

export const anObject = ({
  name = 'chat',
  namespace = 'team-a',
  generation = 1,
  labels,
  spec,
  status,
}: StatedObject = {}): StoredObject => ({
  metadata: {
    name,
    namespace,
    generation,
    uid: `${namespace}-${name}`,
    resourceVersion: '7',
    creationTimestamp: '2026-11-01T00:00:00Z',
    ...(labels === undefined ? {} : { labels }),
  },
  ...(spec === undefined ? {} : { spec }),
  ...(status === undefined ? {} : { status }),
});

export const aBudgetObject = (stated: StatedObject = {}): StoredObject =>
  anObject({ spec: { limits: [{ name: 'daily', cost: { max: '1' }, period: 'Day' }] }, ...stated });

export const aRouteObject = (backends: readonly object[], stated: StatedObject = {}): StoredObject =>
  anObject({ name: 'models', spec: { rules: [{ name: 'all', backends }] }, ...stated });

export const aServiceObject = (spec: object = {}, stated: StatedObject = {}): StoredObject =>
  anObject({
    name: 'llama',
    spec: {
      model: { uri: 'hf://meta/llama-3', name: 'llama-3' },
      template: { containers: [{ name: 'main', image: 'vllm:1' }] },
      ...spec,
    },
    ...stated,
  });

type Limit = BudgetView['limits'][number];

export const aLimitFigure = (stated: Partial<Limit> = {}): Limit => ({
  name: 'daily',
  percent: 50,
  max: 1_000_000_000n,
  spent: 500_000_000n,
  remaining: 500_000_000n,
  windowStart: WINDOW_START,
  resetAt: WINDOW_END,
  partition: '',
  ...stated,
});

export interface StatedView {
  readonly limit?: Partial<Limit>;
  readonly attached?: NonNullable<BudgetView['attached']>;
  readonly generation?: number;
  readonly reason?: BudgetView['columns']['reason'];
  readonly summary?: Readonly<Record<string, string>>;
  readonly asOf?: string;
}

export const aBudgetView = ({
  limit = {},
  attached = { pods: 2, onVersion: 2 },
  generation = 1,
  reason = 'Enforcing',
  summary = {},
  asOf = '2026-11-21T12:00:00.000Z',
}: StatedView = {}): BudgetView => {
  const figure = aLimitFigure(limit);
  return {
    columns: { reason },
    limits: [figure],
    resource: {
      metadata: { namespace: 'team-a', name: 'chat', generation },
      status: {
        asOf,
        unprovenRequests: 0,
        summary: {
          spent: '$0.50',
          limit: '$1.00',
          used: `${figure.percent}%`,
          burnPerHour: '$0.10',
          exhausts: '-',
          ...summary,
        },
        limits: [
          {
            name: figure.name,
            used: '$0.50',
            held: '$0.00',
            remaining: '$0.50',
            percent: figure.percent,
            windowStart: new Date(figure.windowStart).toISOString(),
            ...(figure.resetAt === null ? {} : { resetAt: new Date(figure.resetAt).toISOString() }),
          },
        ],
      },
    },
    attached,
    unmeteredRequests: 0,
  };
};

export const aRouteView = (
  backends: NonNullable<RouteView['backends']>,
  refs: Readonly<Record<string, string>> = {},
): RouteView => ({
  metadata: { namespace: 'team-a', name: 'models' },
  resource: {
    spec: {
      rules: [
        {
          name: 'all',
          backends: backends.map(({ name }) => ({
            name,
            ...(refs[name] === undefined ? {} : { inferenceServiceRef: { group: 'tollgate.dev', name: refs[name] } }),
          })),
        },
      ],
    },
  },
  backends,
});

export const aCache = <T extends KubeObject>(objects: readonly T[] = []): ObjectStore<T> => {
  const cache = makeObjectCache<T>({
    onListenerFault: (error) => {
      throw error;
    },
  });
  cache.replace(objects);
  return cache;
};
