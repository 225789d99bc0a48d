/** Measured, printed and kept: how soon a changed budget is in every proxy, and what injection costs who makes a pod. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deployApps } from './testing/app.ts';
import { openDirectApi, type DirectApi } from './testing/direct-api.ts';
import { aPod, OPTED_IN } from './testing/dry-run.ts';
import { eventually } from './testing/eventually.ts';
import { figureOf, keepFigures } from './testing/figures.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease } from './testing/release.ts';

const INSTALL_MS = 400_000;
const PROXIES = 12;
const CHANGES = 10;
/** Against hanging; the goal is less than two seconds. */
const PATIENCE_MS = 10_000;
/** Between two looks at a proxy, and so the grain of what is measured. */
const LOOK_MS = 50;
const PODS = 200;

const BUDGET = 'everybody';
const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

describe('a cluster in which twelve proxies run', () => {
  let namespace: StoryNamespace;
  let api: DirectApi;
  let pods: readonly string[] = [];
  const budgets = (): string => `/apis/tollgate.dev/v1alpha1/namespaces/${namespace.name}/tokenbudgets`;
  const limitOf = (max: string): object => ({
    limits: [{ name: 'daily-cost', cost: { max }, period: 'Day' }],
  });

  /** Which policy a proxy runs, by its own word; empty before it has one. */
  const policyOf = async (pod: string): Promise<string> => {
    const path = `/api/v1/namespaces/${namespace.name}/pods/${pod}:4190/proxy/status`;
    const { status, text } = await api.get(path);
    if (status !== 200) throw new Error(`${path} was answered ${String(status)}: ${text}`);
    const { policy } = JSON.parse(text) as { readonly policy: { readonly version: string | null } };
    return policy.version ?? '';
  };
  /** Resolves with the milliseconds since `began` once it runs another policy than that. */
  const runsAnother = async (pod: string, than: string, began: number): Promise<number> => {
    while ((await policyOf(pod)) === than) {
      if (performance.now() - began > PATIENCE_MS)
        throw new Error(`${pod} still has its former policy after ${String(PATIENCE_MS / 1000)} s`);
      await sleep(LOOK_MS);
    }
    return performance.now() - began;
  };

  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('figures', { ...RESTRICTED, 'tollgate.dev/injection': 'enabled' });
    api = await openDirectApi();
    await api.post(budgets(), {
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: BUDGET },
      spec: limitOf('10.00'),
    });
    await deployApps(namespace.name, ['app'], { replicas: PROXIES });
    const live = await eventually(
      'all have the proxy',
      () => podsOf(namespace.name, 'app'),
      (found) => found.length === PROXIES && found.every(({ proxy }) => proxy?.ready === true),
    );
    pods = live.map(({ name }) => name);
    await eventually(
      'all run one policy',
      () => Promise.all(pods.map(policyOf)),
      (versions) => new Set(versions).size === 1 && versions[0] !== '',
    );
  }, INSTALL_MS);
  afterAll(async () => {
    await api?.close();
    await namespace?.remove();
  });

  it('a changed budget reaches every proxy within ten seconds', async () => {
    const last: number[] = [];
    for (let change = 1; change <= CHANGES; change += 1) {
      const [before = ''] = await Promise.all(pods.map(policyOf));
      const began = performance.now();
      const { status } = await api.mergePatch(`${budgets()}/${BUDGET}`, { spec: limitOf(`${String(10 + change)}.00`) });
      expect(status).toBe(200);
      const arrivals = await Promise.all(pods.map((pod) => runsAnother(pod, before, began)));
      last.push(Math.max(...arrivals));
      // Each change on its own, and not what the one before it has set in motion.
      await sleep(2_000);
    }
    await keepFigures('snapshots', [figureOf('a changed budget with the last of 12 running proxies', last)]);
    expect(Math.max(...last)).toBeLessThan(PATIENCE_MS);
  });

  it('a pod that opts in is made like any other, for a price that is measured beside it', async () => {
    const bare = await makeNamespace('bare', RESTRICTED);
    try {
      const path = `/api/v1/namespaces/${bare.name}/pods?dryRun=All`;
      const millis = async (annotations: Readonly<Record<string, string>>): Promise<number> => {
        const began = performance.now();
        const { status, text } = await api.post(path, aPod(bare.name, annotations));
        const took = performance.now() - began;
        if (status !== 201) throw new Error(`the pod was answered ${String(status)}: ${text}`);
        expect(text.includes('tollgate-proxy')).toBe('tollgate.dev/inject' in annotations);
        return took;
      };
      for (let warm = 0; warm < 20; warm += 1) await millis(warm % 2 === 0 ? {} : OPTED_IN);
      const without: number[] = [];
      const opted: number[] = [];
      // In turns, so that whatever else the machine does is in both.
      for (let pod = 0; pod < PODS; pod += 1) {
        without.push(await millis({}));
        opted.push(await millis(OPTED_IN));
      }
      await keepFigures('injection', [
        figureOf('a pod is made (dry run), which does not opt in', without),
        figureOf('the same pod, which opts in', opted),
        figureOf(
          'what opting in added, pod by pod',
          opted.map((took, index) => took - (without[index] ?? 0)),
        ),
      ]);
      expect([without.length, opted.length]).toEqual([PODS, PODS]);
    } finally {
      await bare.remove();
    }
  });
});
