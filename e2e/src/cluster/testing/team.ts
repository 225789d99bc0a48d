/** A team with one annotated Deployment and one budget, for the stories that begin where that has worked. */
import {
  ask,
  beginCalls,
  billOf,
  deployApps,
  deployProvider,
  endCalls,
  isRolledOut,
  type Ask,
  type Load,
  type Outcome,
} from './app.ts';
import { eventually } from './eventually.ts';
import { apply, kubectl } from './kubectl.ts';
import { chargedTo, countedOn, nanoOf } from './ledger.ts';
import { makeNamespace } from './namespace.ts';
import { podsOf } from './pods.ts';

const APP = 'app';
const BUDGET = 'team';

export interface TeamOptions {
  /** USD a day. */
  readonly limit: string;
  readonly enforcement?: 'Hard' | 'Soft';
  readonly replicas?: number;
  /** Added to that of the pods. */
  readonly podSpec?: object;
}

export interface Team {
  readonly namespace: string;
  readonly pods: readonly string[];
  /** Has every pod call, each so often. */
  ask(each: Ask): Promise<readonly Outcome[]>;
  /** Has every pod call until `end`, which answers for all these calls. */
  begin(each: Load): Promise<void>;
  end(): Promise<readonly Outcome[]>;
  /** Nano-USD, by the provider's own arithmetic. */
  billed(): Promise<bigint>;
  /** Waits until the ledger's rows and its counters say what the bill says. */
  accountsAgree(): Promise<void>;
  /** The same, and the budget shows it. */
  statusAgrees(): Promise<void>;
  remove(): Promise<void>;
}

export const makeTeam = async (
  story: string,
  { limit, enforcement = 'Hard', replicas = 1, podSpec = {} }: TeamOptions,
): Promise<Team> => {
  const { name: namespace, remove } = await makeNamespace(story);
  const billed = async (): Promise<bigint> => BigInt((await billOf(namespace)).billedNano);
  await deployProvider(namespace);
  await apply({
    apiVersion: 'tollgate.dev/v1alpha1',
    kind: 'TokenBudget',
    metadata: { name: BUDGET, namespace },
    spec: { enforcement, limits: [{ name: 'daily-cost', cost: { max: limit }, period: 'Day' }] },
  });
  await deployApps(namespace, [APP], { replicas, podSpec });
  await kubectl(['annotate', 'deployment', APP, 'tollgate.dev/inject=true', '-n', namespace]);
  await isRolledOut(namespace, APP);
  const live = await eventually(
    'every pod has the proxy',
    () => podsOf(namespace, APP),
    (found) => found.length === replicas && found.every(({ proxy }) => proxy?.ready === true),
  );
  const pods = live.map(({ name }) => name);
  const everyPod = async <T>(act: (pod: string) => Promise<T>): Promise<readonly T[]> => Promise.all(pods.map(act));
  const accountsAgree = async (): Promise<void> => {
    const nano = await billed();
    await eventually(
      `the ledger has ${String(nano)}`,
      () => chargedTo(namespace),
      (charged) => charged.nano === nano,
    );
    const counted = await countedOn(`${namespace}/${BUDGET}`);
    if (counted.nano !== nano)
      throw new Error(`the counters say ${String(counted.nano)}, rows and bill ${String(nano)}`);
  };
  return {
    namespace,
    pods,
    billed,
    remove,
    ask: async (each) => (await everyPod((pod) => ask(namespace, pod, each))).flat(),
    begin: async (each) => {
      await everyPod((pod) => beginCalls(namespace, pod, each));
    },
    end: async () => (await everyPod((pod) => endCalls(namespace, pod))).flat(),
    accountsAgree,
    statusAgrees: async () => {
      await accountsAgree();
      const nano = await billed();
      await eventually(
        `the budget shows ${String(nano)}`,
        () => kubectl(['get', 'tb', BUDGET, '-n', namespace, '-o', 'jsonpath={.status.summary.spent}']),
        (spent) => nanoOf(spent.replace(/[$,]/g, '')) === nano,
      );
    },
  };
};

export const failures = (outcomes: readonly Outcome[]): readonly Outcome[] => outcomes.filter(({ ok }) => !ok);
