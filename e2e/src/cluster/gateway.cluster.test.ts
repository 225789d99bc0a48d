/** The shared gateway: whoever shows a ServiceAccount token is served on the budget of its namespace, with the platform's key. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { billOf, deployProvider } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { apply, getJson, kubectl, tryKubectl } from './testing/kubectl.ts';
import { chargedTo } from './testing/ledger.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { CHART, ensureRelease, helm, SYSTEM } from './testing/release.ts';

const INSTALL_MS = 400_000;
const KEY = 'gateway-key';

/** One call as an SDK makes it, from within the cluster; what came back. */
const CALLING = `
  const [key, model] = process.argv.slice(1);
  const answer = await fetch('http://tollgate-gateway.${SYSTEM}.svc:4100/openai/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === '' ? {} : { authorization: 'Bearer ' + key }) },
    body: JSON.stringify({ model, max_completion_tokens: 50, messages: [{ role: 'user', content: 'Why tolls?' }] }),
  });
  process.stdout.write(JSON.stringify({ status: answer.status, text: await answer.text() }));`;

const call = async (
  key: string,
  model = 'gpt-4o-mini',
): Promise<{ readonly status: number; readonly text: string }> => {
  const node = ['exec', '-n', SYSTEM, 'deployment/tollgate-server', '--', 'node', '--input-type=module'];
  return JSON.parse(await kubectl([...node, '--eval', CALLING, key, model])) as { status: number; text: string };
};

interface BudgetObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message: string;
      readonly observedGeneration: number;
    }[];
  };
}

describe('the gateway', () => {
  let namespace: StoryNamespace;
  let penniless: StoryNamespace;
  const tokenOf = async (where: StoryNamespace, audience = 'tollgate'): Promise<string> =>
    (await kubectl(['create', 'token', 'default', '--audience', audience, '-n', where.name])).trim();

  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('gateway');
    penniless = await makeNamespace('gateway-too');
    await deployProvider(namespace.name);
    await apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: KEY, namespace: SYSTEM },
        stringData: { 'api-key': 'sk-of-the-platform' },
      },
      {
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'ModelRoute',
        metadata: { name: 'gateway', namespace: SYSTEM },
        spec: {
          rules: [
            {
              name: 'openai',
              models: ['gpt-4o*'],
              backends: [
                {
                  name: 'openai',
                  provider: { type: 'OpenAI', credentialsSecretRef: { name: KEY, key: 'api-key' } },
                },
              ],
            },
          ],
        },
      },
      {
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'TokenBudget',
        metadata: { name: 'team', namespace: namespace.name },
        spec: { limits: [{ name: 'daily-cost', cost: { max: '1.00' }, period: 'Day' }] },
      },
    );
    const values = {
      enabled: true,
      replicas: 1,
      credentialSecrets: [KEY],
      // No provider can be reached from the cluster; this one stands in for it.
      env: [{ name: 'TOLLGATE_UPSTREAM_OPENAI', value: `http://mock-provider.${namespace.name}.svc/v1` }],
    };
    const set = ['--reuse-values', '--set-json', `gateway=${JSON.stringify(values)}`];
    await helm('upgrade', 'tollgate', CHART, '--namespace', SYSTEM, ...set, '--wait', '--timeout', '4m');
  }, INSTALL_MS);
  afterAll(async () => {
    const off = ['--reuse-values', '--set', 'gateway.enabled=false'];
    await helm('upgrade', 'tollgate', CHART, '--namespace', SYSTEM, ...off, '--wait', '--timeout', '4m');
    await tryKubectl(['delete', 'modelroute/gateway', `secret/${KEY}`, '-n', SYSTEM, '--ignore-not-found']);
    await namespace?.remove();
    await penniless?.remove();
  }, INSTALL_MS);

  it('serves a token of a namespace, and charges its budget what the provider bills', async () => {
    const token = await tokenOf(namespace);
    const answer = await eventually(
      'the gateway knows route and budget',
      () => call(token),
      ({ status }) => status === 200,
    );
    expect(answer.text).toContain('"chat.completion"');
    expect((await call(token)).status).toBe(200);
    const { calls, billedNano } = await billOf(namespace.name);
    expect(calls).toBe(2);
    await eventually(
      `the ledger has ${billedNano}`,
      () => chargedTo(namespace.name),
      ({ nano }) => nano === BigInt(billedNano),
    );
  });

  it("is told of in the status of the caller's budget, and follows each change of it", async () => {
    const programmedAt = (generation: number): Promise<unknown> =>
      eventually(
        `the gateway runs generation ${String(generation)}`,
        () => getJson<BudgetObject>('get', 'tokenbudget', 'team', '-n', namespace.name),
        ({ status }) =>
          status?.conditions?.some(
            ({ type, status: state, message, observedGeneration }) =>
              type === 'Programmed' &&
              state === 'True' &&
              observedGeneration === generation &&
              message === 'No pod is attached; 1 of 1 gateways that follow it for their callers run this version.',
          ) === true,
      );
    await programmedAt(1);
    await kubectl([
      'patch',
      'tokenbudget/team',
      '-n',
      namespace.name,
      '--type=json',
      '-p',
      JSON.stringify([{ op: 'replace', path: '/spec/limits/0/cost/max', value: '2.00' }]),
    ]);
    await programmedAt(2);
  });

  it('refuses who has no budget', async () => {
    const { status, text } = await call(await tokenOf(penniless));
    expect([status, text]).toEqual([403, expect.stringContaining('no_budget')]);
  });

  it('refuses who shows nothing, a key, a token for somebody else or a forged one, and sends nothing', async () => {
    const { calls } = await billOf(namespace.name);
    const good = await tokenOf(namespace);
    const forged = `${good.slice(0, -8)}${good.slice(-8) === 'AAAAAAAA' ? 'BBBBBBBB' : 'AAAAAAAA'}`;
    for (const key of ['', 'sk-of-the-caller', await tokenOf(namespace, 'elsewhere'), forged]) {
      const { status, text } = await call(key);
      expect([status, text]).toEqual([401, expect.stringContaining('unauthenticated')]);
    }
    expect((await billOf(namespace.name)).calls).toBe(calls);
  });

  it('refuses a model for which it has no key', async () => {
    const { status, text } = await call(await tokenOf(namespace), 'gpt-4.1-mini');
    expect([status, text]).toEqual([502, expect.stringContaining('credential_missing')]);
  });
});
