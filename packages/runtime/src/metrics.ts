/** One list of a process's metrics makes the instruments, the page that Prometheus reads, and the table in the docs. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface MetricDoc {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels?: readonly string[];
  /** Histograms only; in the unit that the name ends with. */
  readonly buckets?: readonly number[];
}

type Names<L extends readonly MetricDoc[], K extends MetricDoc['kind']> = Extract<L[number], { kind: K }>['name'];
type LabelNames<D> = D extends { labels: readonly (infer T extends string)[] } ? T : never;
/** A metric without labels takes `{}` and nothing else. */
type Labels<K extends string> = [K] extends [never]
  ? Readonly<Record<string, never>>
  : { readonly [Name in K]: string };
type LabelsOf<L extends readonly MetricDoc[], N extends string> = Labels<LabelNames<Extract<L[number], { name: N }>>>;

export interface MetricSample<T> {
  readonly labels: T;
  readonly value: number;
}

export interface Metrics<L extends readonly MetricDoc[]> {
  add<N extends Names<L, 'counter'>>(name: N, labels: LabelsOf<L, N>, by?: number): void;
  set<N extends Names<L, 'gauge'>>(name: N, labels: LabelsOf<L, N>, value: number): void;
  observe<N extends Names<L, 'histogram'>>(name: N, labels: LabelsOf<L, N>, value: number): void;
  /**
   * Counters and gauges that are plain numbers elsewhere: asked only when the page is read, so that a busy path pays
   * for an addition and nothing else. One source a name.
   */
  source<N extends Names<L, 'counter' | 'gauge'>>(name: N, read: () => Iterable<MetricSample<LabelsOf<L, N>>>): void;
  readonly contentType: string;
  page(): Promise<string>;
}

export interface MetricsOptions {
  /** Refuses labels that would name a tenant, a budget or a model: for pages that anyone in the pod may read. */
  readonly nameless?: boolean;
  /** Memory, CPU, event loop and garbage collection of the process itself. Default true. */
  readonly processMetrics?: boolean;
}

const OWN_NAME = /^tollgate_[a-z][a-z0-9_]*$/;
/** What dashboards and alerts for Kubernetes controllers look for, whoever wrote the controller. */
const CONTROLLER_NAME = /^(workqueue|controller_runtime|leader_election|rest_client)_[a-z][a-z0-9_]*$/;

const NAMING_LABELS = new Set([
  'organisation',
  'namespace',
  'workload',
  'pod',
  'team',
  'user',
  'budget',
  'limit',
  'partition',
  'model',
  'route',
  'backend',
]);

/**
 * @example
 * const metrics = makeMetrics([
 *   { name: 'tollgate_requests_total', kind: 'counter', help: 'Calls answered.', labels: ['outcome'] },
 * ] as const);
 * metrics.add('tollgate_requests_total', { outcome: 'admitted' });
 */
export const makeMetrics = <const L extends readonly MetricDoc[]>(
  list: L,
  { nameless = false, processMetrics = true }: MetricsOptions = {},
): Metrics<L> => {
  checkList(list, nameless);
  const registry = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const sources = new Map<string, () => Iterable<MetricSample<Readonly<Record<string, string>>>>>();

  for (const { name, kind, help, labels = [], buckets } of list) {
    const base = { name, help, labelNames: [...labels], registers: [registry] };
    switch (kind) {
      case 'counter': {
        const counter: Counter = new Counter({
          ...base,
          collect: () =>
            refill(
              name,
              () => counter.reset(),
              (l, value) => counter.inc(l, value),
            ),
        });
        counters.set(name, counter);
        break;
      }
      case 'gauge': {
        const gauge: Gauge = new Gauge({
          ...base,
          collect: () =>
            refill(
              name,
              () => gauge.reset(),
              (l, value) => gauge.set(l, value),
            ),
        });
        gauges.set(name, gauge);
        break;
      }
      case 'histogram':
        histograms.set(name, new Histogram({ ...base, ...(buckets === undefined ? {} : { buckets: [...buckets] }) }));
        break;
      default:
        kind satisfies never;
    }
  }

  const refill = (
    name: string,
    reset: () => void,
    put: (labels: Record<string, string>, value: number) => void,
  ): void => {
    const read = sources.get(name);
    if (read === undefined) return;
    reset();
    for (const { labels, value } of read()) put({ ...labels }, value);
  };

  return {
    add: (name, labels, by = 1) => found(counters, name).inc(labels, by),
    set: (name, labels, value) => found(gauges, name).set(labels, value),
    observe: (name, labels, value) => found(histograms, name).observe(labels, value),
    source: (name, read) => {
      if (sources.has(name)) throw new Error(`metric ${name} has a source already`);
      sources.set(name, read);
    },
    contentType: registry.contentType,
    page: () => registry.metrics(),
  };
};

/** The list as a markdown table. */
export const metricsTable = (list: readonly MetricDoc[]): string =>
  [
    '| Metric | Kind | Labels | What it counts |',
    '|---|---|---|---|',
    ...list.map(
      ({ name, kind, help, labels = [] }) => `| \`${name}\` | ${kind} | ${labels.join(', ') || '–'} | ${help} |`,
    ),
  ].join('\n');

const checkList = (list: readonly MetricDoc[], nameless: boolean): void => {
  for (const { name, kind, labels = [] } of list) {
    if (!OWN_NAME.test(name) && !CONTROLLER_NAME.test(name))
      throw new Error(`metric ${name} must be tollgate_ and lower case`);
    if (kind === 'counter' && !name.endsWith('_total')) throw new Error(`counter ${name} must end in _total`);
    const naming = labels.find((label) => NAMING_LABELS.has(label));
    if (nameless && naming !== undefined)
      throw new Error(`metric ${name} has the label ${naming}, and this page names nobody`);
  }
};

const found = <T>(instruments: ReadonlyMap<string, T>, name: string): T => {
  const instrument = instruments.get(name);
  if (instrument === undefined) throw new Error(`metric ${name} is not in the list`);
  return instrument;
};
