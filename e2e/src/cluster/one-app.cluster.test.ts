/** A team annotates its Deployment, and its unmodified SDK meets the limit. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, billOf, deployApps, deployProvider, isRolledOut, type Outcome } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { apply, kubectl, tryKubectl } from './testing/kubectl.ts';
import { chargedTo, countedOn, nanoOf } from './testing/ledger.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease } from './testing/release.ts';

const INSTALL_MS = 400_000;

describe('a Deployment that opts in', () => {
  let namespace: StoryNamespace;
  let pod = '';
  const ours = (...args: readonly string[]): Promise<string> => kubectl([...args, '-n', namespace.name]);
  const costs = (outcomes: readonly Outcome[]): bigint =>
    outcomes.reduce((sum, { costUsd }) => sum + nanoOf(costUsd ?? '0'), 0n);
  const spends = (limit: string): Promise<string> =>
    apply({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: 'team', namespace: namespace.name },
      spec: { limits: [{ name: 'daily-cost', cost: { max: limit }, period: 'Day' }] },
    });

  /** Without the one call that no proxy has seen. */
  let unproxied = 0n;
  const billedSince = async (): Promise<bigint> => BigInt((await billOf(namespace.name)).billedNano) - unproxied;
  /** The provider's bill, the ledger's rows, its counters, and what a user sees of them. */
  const accountsAgree = async (): Promise<void> => {
    const nano = await billedSince();
    await eventually(
      `the ledger has ${String(nano)}`,
      () => chargedTo(namespace.name),
      (charged) => charged.nano === nano,
    );
    expect((await countedOn(`${namespace.name}/team`)).nano).toBe(nano);
    await eventually(
      'the budget shows it',
      () => ours('get', 'tb', 'team', '-o', 'jsonpath={.status.summary.spent}'),
      (spent) => nanoOf(spent.replace(/[$,]/g, '')) === nano,
    );
  };

  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('one-app');
    await deployProvider(namespace.name);
    await deployApps(namespace.name, ['app']);
    await spends('0.05');
  }, INSTALL_MS);
  afterAll(() => namespace?.remove());

  it('calls its provider itself until then', async () => {
    const [before] = await podsOf(namespace.name, 'app');
    expect(before?.proxy).toBeNull();
    expect(await ask(namespace.name, before?.name ?? '')).toEqual([{ ok: true }]);
    const bill = await billOf(namespace.name);
    expect(bill.calls).toBe(1);
    unproxied = BigInt(bill.billedNano);
  });

  it('rolls into pods with the proxy first, by one annotation on the Deployment', async () => {
    const { stderr } = await tryKubectl([
      'annotate',
      'deployment',
      'app',
      'tollgate.dev/inject=true',
      '-n',
      namespace.name,
    ]);
    expect(stderr).toContain('Warning:');
    await isRolledOut(namespace.name, 'app');
    const pods = await eventually(
      'only the new pod is left',
      () => podsOf(namespace.name, 'app'),
      (found) => found.length === 1 && found[0]?.proxy !== null,
    );
    pod = pods[0]?.name ?? '';
    expect(pods[0]?.proxy).toMatchObject({ index: 0, ready: true, restarts: 0 });
  });

  it('pays: each answer says its cost, and the budget shows their sum', async () => {
    const outcomes = await ask(namespace.name, pod, { calls: 6, atOnce: 2 });
    expect(outcomes.map(({ ok, costUsd }) => ok && costUsd !== undefined)).toEqual(Array(6).fill(true));
    expect(costs(outcomes)).toBe(await billedSince());
    await accountsAgree();
  });

  it("is refused at the limit with the SDK's own error, and the provider has not been paid more", async () => {
    const outcomes = await ask(namespace.name, pod, { calls: 60, atOnce: 4 });
    const refused = outcomes.filter(({ ok }) => !ok);
    expect(refused.length).toBeGreaterThan(0);
    for (const outcome of refused) {
      expect(outcome).toMatchObject({ error: 'RateLimitError', status: 429 });
      expect(outcome.message).toContain('team');
    }
    expect(await billedSince()).toBeLessThanOrEqual(nanoOf('0.05'));
    await accountsAgree();
  });

  it('goes on in the same pod once the limit is raised', async () => {
    await spends('1.00');
    await eventually(
      'a call passes',
      () => ask(namespace.name, pod),
      ([outcome]) => outcome?.ok === true,
    );
    expect(await podsOf(namespace.name, 'app')).toMatchObject([{ name: pod, proxy: { restarts: 0 } }]);
  });

  it('loses the proxy again with the annotation', async () => {
    await ours('annotate', 'deployment', 'app', 'tollgate.dev/inject-');
    await isRolledOut(namespace.name, 'app');
    const pods = await eventually(
      'only a bare pod is left',
      () => podsOf(namespace.name, 'app'),
      (found) => found.length === 1 && found[0]?.proxy === null,
    );
    expect(await ask(namespace.name, pods[0]?.name ?? '')).toEqual([{ ok: true }]);
  });
});
