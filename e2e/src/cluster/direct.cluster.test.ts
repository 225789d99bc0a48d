/** Pods that carry the proxy: one calls through it, one calls its provider past it, and one never calls. The operator tells them apart. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, billOf, deployApps, deployProvider, isRolledOut } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { apply, getJson, kubectl } from './testing/kubectl.ts';
import { chargedTo } from './testing/ledger.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { podsOf } from './testing/pods.ts';
import { CHART, ensureRelease, helm, READY, RELEASE, SYSTEM } from './testing/release.ts';

const INSTALL_MS = 400_000;
/** Proxies look once a minute, and the operator asks twice a minute what they found. */
const FOUND_MS = 240_000;
const TEST_MS = 300_000;
/** An hour as shipped. Longer than a pod takes from its making to its first call here. */
const UNUSED_AFTER_MS = '90000';

/** What somebody writes who does not know of the proxy: a provider's address in the code, and a connection that is kept. */
const CALLS_PAST = `
  const [url] = process.argv.slice(1);
  const body = JSON.stringify({ model: 'gpt-4o-mini', max_tokens: 50, messages: [{ role: 'user', content: 'hello' }] });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-the-teams-own' };
  setInterval(() => {
    fetch(url + '/chat/completions', { method: 'POST', headers, body }).then((answer) => answer.text(), () => undefined);
  }, 1000);`;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

interface BudgetObject {
  readonly status?: { readonly bypassingPods?: number; readonly conditions?: readonly Condition[] };
}

interface EventList {
  readonly items: readonly {
    readonly type: string;
    readonly message: string;
    readonly involvedObject: { readonly kind: string; readonly name: string };
  }[];
}

/** By the operator that leads; null: it does not say. */
const measured = async (state: string): Promise<number | null> => {
  const lease = await getJson<{ spec: { holderIdentity?: string } }>('get', 'lease', 'tollgate-operator', '-n', SYSTEM);
  const leader = lease.spec.holderIdentity?.split('_')[0] ?? '';
  const page = await kubectl(['get', '--raw', `/api/v1/namespaces/${SYSTEM}/pods/${leader}:4190/proxy/metrics`]);
  const value = new RegExp(`^tollgate_operator_pods\\{state="${state}"\\} (\\d+)$`, 'm').exec(page)?.[1];
  return value === undefined ? null : Number(value);
};

const setOperatorEnv = async (env: readonly { readonly name: string; readonly value: string }[]): Promise<void> => {
  const set = ['--reuse-values', '--set-json', `operator.env=${JSON.stringify(env)}`];
  await helm('upgrade', RELEASE, CHART, '--namespace', SYSTEM, ...set, ...READY);
};

describe('pods that carry the proxy', () => {
  let namespace: StoryNamespace;
  const names = { through: '', past: '', idle: '' };
  const apps = ['through', 'past', 'idle'] as const;
  const budget = (): Promise<BudgetObject> => getJson('get', 'tokenbudget', 'team', '-n', namespace.name);
  const conditionOf = ({ status }: BudgetObject, type: string): Condition | undefined =>
    status?.conditions?.find((condition) => condition.type === type);
  const eventsOf = async (reason: string): Promise<EventList['items']> => {
    const selector = ['--field-selector', `reason=${reason}`];
    return (await getJson<EventList>('get', 'events', '-n', namespace.name, ...selector)).items;
  };
  const injectedPod = async (app: string): Promise<string> => {
    await isRolledOut(namespace.name, app);
    const [pod] = await eventually(
      `one pod of ${app}, with the proxy`,
      () => podsOf(namespace.name, app),
      (found) => found.length === 1 && found[0]?.proxy?.ready === true,
    );
    return pod?.name ?? '';
  };

  beforeAll(async () => {
    await ensureRelease();
    await setOperatorEnv([{ name: 'TOLLGATE_UNUSED_AFTER_MS', value: UNUSED_AFTER_MS }]);
    namespace = await makeNamespace('direct');
    await deployProvider(namespace.name);
    const provider = `http://mock-provider.${namespace.name}.svc/v1`;
    await apply({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: 'team', namespace: namespace.name },
      spec: { limits: [{ name: 'daily-cost', cost: { max: '1.00' }, period: 'Day' }] },
    });
    await deployApps(namespace.name, ['through', 'idle']);
    await deployApps(namespace.name, ['past'], {
      podSpec: {
        containers: [
          {
            name: 'past',
            image: 'localhost/tollgate-server:dev',
            imagePullPolicy: 'IfNotPresent',
            command: ['node', '--input-type=module', '--eval', CALLS_PAST, provider],
            env: [{ name: 'OPENAI_BASE_URL', value: provider }],
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
              readOnlyRootFilesystem: true,
            },
          },
        ],
      },
    });
    for (const app of apps)
      await kubectl(['annotate', 'deployment', app, 'tollgate.dev/inject=true', '-n', namespace.name]);
    // First, since a pod that has not called by then is told of.
    names.through = await injectedPod('through');
    expect(await ask(namespace.name, names.through)).toMatchObject([{ ok: true }]);
    names.past = await injectedPod('past');
    names.idle = await injectedPod('idle');
  }, INSTALL_MS);
  afterAll(async () => {
    await namespace?.remove();
    await setOperatorEnv([]);
  }, INSTALL_MS);

  it(
    'are told of by an event where a container calls its provider past it, and what it does there is in no ledger',
    async () => {
      const [event, ...others] = await eventually(
        'there is an event',
        () => eventsOf('DirectProviderConnection'),
        (found) => found.length > 0,
        FOUND_MS,
      );
      expect(others).toEqual([]);
      expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'Pod', name: names.past } });
      expect(event?.message).toMatch(
        new RegExp(
          `^A container of the pod has (a connection|\\d+ connections) to mock-provider\\.${namespace.name}\\.svc past ` +
            'the proxy: such calls are not metered and no budget holds them\\. Take away what sets another base URL',
        ),
      );
      const [{ calls: charged }, { calls: billed }] = [await chargedTo(namespace.name), await billOf(namespace.name)];
      expect(charged).toBe(1);
      expect(billed).toBeGreaterThan(charged);
    },
    TEST_MS,
  );

  it("count as bypassing in the budget's status, which stays in force, and in the operator's metric", async () => {
    const found = await eventually('the budget says so', budget, ({ status }) => status?.bypassingPods === 1);
    expect(conditionOf(found, 'Programmed')).toMatchObject({
      status: 'False',
      reason: 'PartiallyProgrammed',
      message:
        'All 3 attached proxies run this version; 1 pod calls providers past its proxy (kubectl get events ' +
        '--field-selector reason=DirectProviderConnection names it).',
    });
    expect(conditionOf(found, 'Ready')).toMatchObject({
      status: 'True',
      message: expect.stringContaining('1 pod gets past it: see Programmed.'),
    });
    await eventually(
      'it is measured',
      () => measured('direct'),
      (count) => count === 1,
    );
  });

  it(
    'are told of where no call is recorded in their first hour, which is a minute and a half here',
    async () => {
      await eventually(
        'there is an event',
        () => eventsOf('ProxyUnused'),
        (found) => found.some(({ involvedObject }) => involvedObject.name === names.idle),
        FOUND_MS,
      );
      const [event] = (await eventsOf('ProxyUnused')).filter(
        ({ involvedObject }) => involvedObject.name === names.idle,
      );
      expect(event).toMatchObject({ type: 'Normal', involvedObject: { kind: 'Pod' } });
      expect(event?.message).toMatch(/^In \d+ minutes? no call of the pod has been recorded\. .*it needs no proxy\.$/);
      // The one that calls past its proxy does not use it, either.
      await eventually(
        'both are measured',
        () => measured('unused'),
        (count) => count === 2,
      );
    },
    TEST_MS,
  );

  it('are told of for nothing where they call through it, and as old', async () => {
    const events = [...(await eventsOf('DirectProviderConnection')), ...(await eventsOf('ProxyUnused'))];
    expect(events.map(({ involvedObject }) => involvedObject.name)).not.toContain(names.through);
  });

  it('count no longer once they are gone, and the budget is programmed everywhere again', async () => {
    await kubectl(['scale', 'deployment', 'past', '--replicas=0', '-n', namespace.name]);
    // Its pod may be gone a moment before its proxy is.
    await eventually(
      'the budget says so',
      budget,
      (found) =>
        found.status?.bypassingPods === 0 &&
        conditionOf(found, 'Programmed')?.status === 'True' &&
        conditionOf(found, 'Programmed')?.message === 'All 2 attached proxies run this version.',
    );
    await eventually(
      'it is measured no longer',
      () => measured('direct'),
      (count) => count === 0,
    );
  });
});
