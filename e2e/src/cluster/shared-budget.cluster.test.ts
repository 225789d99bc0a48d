/** Six pods of two Deployments spend from one budget of their namespace and one of the organisation, through two servers. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, billOf, deployApps, deployProvider, isRolledOut, type Outcome } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { apply, kubectl } from './testing/kubectl.ts';
import { chargedTo, countedOn, nanoOf } from './testing/ledger.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';

const INSTALL_MS = 400_000;
const APPS = ['web', 'worker'];
const OURS = '0.40';
const EVERYBODYS = '0.25';

const costOf = (outcomes: readonly Outcome[]): bigint =>
  outcomes.reduce((sum, { costUsd }) => sum + nanoOf(costUsd ?? '0'), 0n);

describe('six pods with two budgets', () => {
  let namespace: StoryNamespace;
  let organisation = '';
  let pods: readonly string[] = [];
  const limits = (max: string): object => ({ limits: [{ name: 'daily-cost', cost: { max }, period: 'Day' }] });
  const billed = async (): Promise<bigint> => BigInt((await billOf(namespace.name)).billedNano);
  const spentBy = async (budget: string, where: string): Promise<bigint> =>
    nanoOf(
      (await kubectl(['get', 'tb', budget, '-n', where, '-o', 'jsonpath={.status.summary.spent}'])).replace(
        /[$,]/g,
        '',
      ),
    );

  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('shared');
    organisation = `everybody-${namespace.name}`;
    await deployProvider(namespace.name);
    await apply(
      {
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'TokenBudget',
        metadata: { name: 'ours', namespace: namespace.name },
        spec: limits(OURS),
      },
      {
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'TokenBudget',
        // Only there may a budget reach beyond its own namespace.
        metadata: { name: organisation, namespace: SYSTEM },
        spec: {
          ...limits(EVERYBODYS),
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace.name } },
        },
      },
    );
    await deployApps(namespace.name, APPS, { replicas: 3 });
    for (const app of APPS)
      await kubectl(['annotate', 'deployment', app, 'tollgate.dev/inject=true', '-n', namespace.name]);
    for (const app of APPS) await isRolledOut(namespace.name, app);
    const live = await eventually(
      'six pods with the proxy',
      async () => (await Promise.all(APPS.map((app) => podsOf(namespace.name, app)))).flat(),
      (found) => found.length === 6 && found.every(({ proxy }) => proxy?.ready === true),
    );
    pods = live.map(({ name }) => name);
  }, INSTALL_MS);
  afterAll(async () => {
    await kubectl(['delete', 'tb', organisation, '-n', SYSTEM, '--ignore-not-found']);
    await namespace?.remove();
  });

  it('are attached to both', async () => {
    const attached = (budget: string, where: string): Promise<string> =>
      kubectl(['get', 'tb', budget, '-n', where, '-o', 'jsonpath={.status.attachedPods}']);
    await eventually(
      'both budgets count six pods',
      () => Promise.all([attached('ours', namespace.name), attached(organisation, SYSTEM)]),
      ([first, second]) => first === '6' && second === '6',
    );
  });

  it('spend to the limit of the tighter one, and not a nano-dollar beyond it', async () => {
    const outcomes = (await Promise.all(pods.map((pod) => ask(namespace.name, pod, { calls: 60, atOnce: 5 })))).flat();
    expect(outcomes).toHaveLength(360);
    const refused = outcomes.filter(({ ok }) => !ok);
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map(({ error, status }) => `${String(error)} ${String(status)}`))).toEqual(
      new Set(['RateLimitError 429']),
    );
    for (const { message } of refused) expect(message).toContain(organisation);
    const nano = await billed();
    expect(nano).toBeLessThanOrEqual(nanoOf(EVERYBODYS));
    expect(nano).toBeGreaterThan((nanoOf(EVERYBODYS) * 9n) / 10n);
    expect(costOf(outcomes)).toBe(nano);
  });

  it('leave the same sum everywhere: in the answers, on the bill, in the ledger, on both budgets', async () => {
    const { calls, billedNano } = await billOf(namespace.name);
    const nano = BigInt(billedNano);
    await eventually(
      'the ledger has every call',
      () => chargedTo(namespace.name),
      (charged) => charged.calls === calls && charged.nano === nano,
    );
    expect(await countedOn(`${namespace.name}/ours`)).toEqual({ calls, nano });
    expect(await countedOn(`${SYSTEM}/${organisation}`)).toEqual({ calls, nano });
    await eventually(
      'both budgets show it',
      () => Promise.all([spentBy('ours', namespace.name), spentBy(organisation, SYSTEM)]),
      (spent) => spent.every((sum) => sum === nano),
    );
  });
});
