/**
 * A large cluster without pods that run: 1,000 budgets and the metadata of 5,000 pods in a real API server, a real server,
 * and the operator as it is shipped. What it writes is asserted; how long that took and how much memory is measured, since
 * a machine that does something else besides would fail it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { monotonicClock } from '@tollgate/runtime';
import { NAMESPACES, PODS, TOKEN_BUDGETS } from './kinds.ts';
import { keyOf, nameOf } from './kube/kube-object.ts';
import { clientOf, type TestClient } from './kube/testing/client-of.ts';
import { watchBudgetWrites, type BudgetWrites } from './testing/budget-writes.ts';
import { inParallel } from './testing/in-parallel.ts';
import {
  budgetSpec,
  lackingPods,
  manyBudgets,
  manyPods,
  type BudgetManifest,
  type Crowd,
} from './testing/many-objects.ts';
import {
  startOperatorCluster,
  SYSTEM,
  type OperatorCluster,
  type OperatorProcess,
} from './testing/operator-cluster.ts';
import { residentMemory } from './testing/process-memory.ts';
import { excessOver, mostInSeconds } from './testing/write-rate.ts';

const CROWD: Crowd = {
  namespaces: Array.from({ length: 20 }, (_, index) => `team-${index}`),
  system: SYSTEM,
  budgets: 1_000,
  pods: 5_000,
};
const AT_ONCE = 16;
const CHANGES = 12;
const STATUSES_PER_SECOND = 20;
const RESULT = fileURLToPath(new URL('../../dist/test-results/scale.json', import.meta.url));
const MINUTES = 60_000;

/** Name, what was measured, and the figure of the requirement; null: it names none. */
interface Figure {
  readonly name: string;
  readonly measured: number;
  readonly unit: 's' | 'ms' | 'MiB' | '1/s' | '';
  readonly goal: number | null;
}
const figures: Figure[] = [];
const note = (name: string, measured: number, unit: Figure['unit'], goal: number | null = null): void =>
  void figures.push({ name, measured: Math.round(measured * 10) / 10, unit, goal });

let cluster: OperatorCluster;
let client: TestClient;
let writes: BudgetWrites;
let operator: OperatorProcess;
const budgets = manyBudgets(CROWD);

beforeAll(async () => {
  cluster = await startOperatorCluster();
  client = clientOf(cluster.api);
  const { api } = client;
  const startedAt = monotonicClock();
  for (const name of CROWD.namespaces) await api.create(NAMESPACES, { metadata: { name } });
  await inParallel(budgets, AT_ONCE, (budget) => api.create(TOKEN_BUDGETS, budget));
  await inParallel(manyPods(CROWD), AT_ONCE, (pod) => api.create(PODS, pod));
  note('6,000 objects created', (monotonicClock() - startedAt) / 1_000, 's');
  writes = await watchBudgetWrites(client.api);
}, 10 * MINUTES);

afterAll(async () => {
  await print();
  await writes?.stop();
  client?.close();
  await cluster?.stop();
}, 2 * MINUTES);

const until = async (what: string, minutes: number, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  const end = monotonicClock() + minutes * MINUTES;
  while (!(await isSo())) {
    if (monotonicClock() > end) throw new Error(`not so in ${minutes} minutes: ${what}`);
    await sleep(200);
  }
};

const change = async (budget: BudgetManifest, dollars: number): Promise<number> => {
  const isWide = budget.spec.namespaceSelector !== undefined;
  const changed = { metadata: nameOf(budget), spec: budgetSpec(dollars, isWide) };
  const { metadata } = await client.api.apply(TOKEN_BUDGETS, changed, { fieldManager: 'test', force: true });
  return metadata.generation ?? 0;
};

describe('the operator with 1,000 budgets and 5,000 pods', () => {
  it(
    'brings all of them into force, at no more than 20 statuses a second',
    async () => {
      const startedAt = monotonicClock();
      operator = await cluster.startOperator({ isShipped: true });
      await until('every budget is in force', 10, () => writes.ready() === CROWD.budgets);
      note('from the start until every status says so', (monotonicClock() - startedAt) / 1_000, 's');
      note('statuses in the busiest second then', mostInSeconds(writes.times(), 1), '1/s', 20);
      note('statuses in the busiest ten seconds then, a second', mostInSeconds(writes.times(), 10) / 10, '1/s', 20);
      expect(excessOver(writes.times(), STATUSES_PER_SECOND)).toBe(0);
    },
    12 * MINUTES,
  );

  it(
    'counts the pods that lack the proxy on the budgets that bind them, and on no other',
    async () => {
      const lacking = lackingPods(CROWD);
      expect(lacking).toBeGreaterThan(100);
      const bypassing = (): ReadonlyMap<number, number> =>
        new Map(
          [...Map.groupBy(writes.all(), ({ status }) => status?.bypassingPods ?? -1)].map(([n, of]) => [n, of.length]),
        );
      const [first = ''] = CROWD.namespaces;
      const bound = budgets.filter(({ metadata: { namespace } }) => namespace === first || namespace === SYSTEM).length;
      const expected = new Map([
        [lacking, bound],
        [0, CROWD.budgets - bound],
      ]);
      await until('they are counted', 5, () => sameCounts(bypassing(), expected));
      expect(bypassing()).toEqual(expected);
    },
    6 * MINUTES,
  );

  it(
    'writes nothing while nothing changes, and keeps its memory',
    async () => {
      await until('it is quiet', 5, async () => {
        const before = writes.times().length;
        await sleep(10_000);
        return writes.times().length === before;
      });
      const before = writes.times().length;
      const samples: number[] = [];
      for (let seconds = 0; seconds < 60; seconds += 2) {
        samples.push((await residentMemory(operator.pid)).now);
        await sleep(2_000);
      }
      expect(writes.times().length).toBe(before);
      const { peak } = await residentMemory(operator.pid);
      note(
        'memory in a quiet minute, on average',
        samples.reduce((sum, each) => sum + each, 0) / samples.length,
        'MiB',
        200,
      );
      note('memory in a quiet minute, at most', Math.max(...samples), 'MiB', 200);
      note('memory since the start, at most', peak, 'MiB');
    },
    8 * MINUTES,
  );

  it(
    'has one change in force within moments',
    async () => {
      const [first = ''] = CROWD.namespaces;
      const changed = budgets.filter(({ metadata: { namespace } }) => namespace !== SYSTEM && namespace !== first);
      const tookMs: number[] = [];
      for (const budget of changed.slice(0, CHANGES)) {
        const at = monotonicClock();
        const generation = await change(budget, 6);
        tookMs.push((await writes.untilProgrammed(keyOf(nameOf(budget)), generation)) - at);
        await sleep(500);
      }
      tookMs.sort((a, b) => a - b);
      note('one change in force and in status, median', tookMs[CHANGES >> 1] ?? NaN, 'ms', 2_000);
      note('one change in force and in status, slowest of 12', tookMs.at(-1) ?? NaN, 'ms', 2_000);
      expect(tookMs).toHaveLength(CHANGES);
    },
    5 * MINUTES,
  );

  it(
    'follows a change of every budget at the same pace, and to the end',
    async () => {
      const from = monotonicClock();
      const before = writes.times().length;
      await inParallel(budgets, AT_ONCE, (budget) => change(budget, 7));
      await until('every budget is in force again', 10, () => writes.ready() === CROWD.budgets);
      note('a change of all budgets at once, until all statuses say so', (monotonicClock() - from) / 1_000, 's');
      note(
        'statuses in its busiest ten seconds, a second',
        mostInSeconds(writes.times().slice(before), 10) / 10,
        '1/s',
        20,
      );
      note('statuses that it took, a budget', (writes.times().length - before) / CROWD.budgets, '');
      note('memory afterwards', (await residentMemory(operator.pid)).now, 'MiB', 200);
      expect(excessOver(writes.times(), STATUSES_PER_SECOND)).toBe(0);
      expect(await failedRequests()).toEqual([]);
    },
    12 * MINUTES,
  );
});

const sameCounts = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);

/** What the operator itself counts as not done. */
const failedRequests = async (): Promise<readonly string[]> => {
  const page = await (await fetch(`${operator.url}/metrics`)).text();
  return page
    .split('\n')
    .filter((line) => /^tollgate_kube_(status_writes|missed_events|events)_total\{/.test(line))
    .filter((line) => /outcome="(failed|dropped)"|missed_events/.test(line) && !line.endsWith(' 0'));
};

const print = async (): Promise<void> => {
  const rows = figures.map(({ name, measured, unit, goal }) =>
    [name.padEnd(64), `${measured} ${unit}`.padStart(12), goal === null ? '' : `goal ${goal} ${unit}`]
      .join('  ')
      .trimEnd(),
  );
  process.stderr.write(`\n${rows.join('\n')}\n\n`);
  await mkdir(join(RESULT, '..'), { recursive: true });
  await writeFile(RESULT, `${JSON.stringify({ figures }, null, 2)}\n`);
};
