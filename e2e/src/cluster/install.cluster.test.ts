/** A platform team installs the chart, and meets the kinds for the first time. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from './testing/eventually.ts';
import { apply, getJson, kubectl, tryKubectl } from './testing/kubectl.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { ensureRelease, helm, SYSTEM } from './testing/release.ts';

const INSTALL_MS = 400_000;

interface Workloads {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly replicas: number };
    readonly status: { readonly readyReplicas?: number };
  }[];
}

const EXAMPLES = join(import.meta.dirname, '../../../examples/quickstart');

const aBudget = (name: string, namespace: string, spec: object): object => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'TokenBudget',
  metadata: { name, namespace },
  spec,
});
const aRoute = (name: string, namespace: string, backend: object): object => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'ModelRoute',
  metadata: { name, namespace },
  spec: { rules: [{ name: 'all', backends: [{ name: 'one', ...backend }] }] },
});
const aService = (name: string, namespace: string, spec: object): object => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'LLMInferenceService',
  metadata: { name, namespace },
  spec: {
    model: { uri: 'hf://a/b', name: 'b' },
    replicas: 0,
    template: { containers: [{ name: 'main', image: 'localhost/none:1' }] },
    ...spec,
  },
});
const DAILY = { name: 'daily-cost', cost: { max: '10.00' }, period: 'Day' };

const columnsOf = (table: string): readonly string[] => (table.split('\n')[0] ?? '').trim().split(/\s{2,}/);

describe('the chart, installed', () => {
  let namespace: StoryNamespace;
  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('install');
  }, INSTALL_MS);
  afterAll(() => namespace?.remove());

  const isRefused = async (object: object, message: string): Promise<void> => {
    const { code, stderr } = await tryKubectl(['create', '-f', '-'], JSON.stringify(object));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  };

  it('has all its workloads ready', async () => {
    const { items } = await getJson<Workloads>('get', 'deployments,statefulsets', '-n', SYSTEM);
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual([
      'tollgate-injector',
      'tollgate-operator',
      'tollgate-postgres',
      'tollgate-redis',
      'tollgate-server',
    ]);
    expect(items.map(({ status }) => status.readyReplicas)).toEqual(items.map(({ spec }) => spec.replicas));
  });

  it('passes its own test', async () => {
    expect(await helm('test', 'tollgate', '--namespace', SYSTEM, '--timeout', '2m')).toContain('Succeeded');
  });

  it('has three kinds, which "kubectl get llm" lists together', async () => {
    await apply(
      aBudget('first', namespace.name, { limits: [DAILY] }),
      aRoute('first', namespace.name, { provider: { type: 'OpenAI' } }),
      aService('first', namespace.name, {}),
    );
    const listed = await kubectl(['get', 'llm', '-n', namespace.name, '-o', 'name']);
    expect(listed.trim().split('\n').sort()).toEqual([
      'llminferenceservice.tollgate.dev/first',
      'modelroute.tollgate.dev/first',
      'tokenbudget.tollgate.dev/first',
    ]);
  });

  it('takes the first examples as they are, and says that they are in force', async () => {
    const applied = await kubectl(['apply', '-f', EXAMPLES]);
    try {
      expect(applied).toContain('tokenbudget.tollgate.dev/quickstart created');
      for (const object of ['tb/quickstart', 'mroute/quickstart'])
        await kubectl(['wait', '--for=condition=Ready', object, '-n', 'default', '--timeout=60s']);
      const row = await kubectl(['get', 'tb', 'quickstart', '-n', 'default', '--no-headers']);
      expect(row.trim().split(/\s+/).slice(0, 5)).toEqual(['quickstart', 'Hard', '$0.00', '$1.00', '0%']);
    } finally {
      await kubectl(['delete', '-f', EXAMPLES]);
    }
  });

  it('shows a budget as a line: what is spent, of how much, how fast', async () => {
    const row = await eventually(
      'the budget is ready',
      () => kubectl(['get', 'tokenbudgets', 'first', '-n', namespace.name, '--no-headers']),
      (line) => line.trim().split(/\s+/)[7] === 'True',
    );
    expect(row.trim().split(/\s+/).slice(0, 8)).toEqual(
      ['first', 'Hard', '$0.00', '$10.00', '0%', '$0.00', '-', 'True'], // prettier-ignore
    );
    const narrow = ['NAME', 'ENFORCEMENT', 'SPENT', 'LIMIT', 'USED', 'BURN/H', 'EXHAUSTS', 'READY', 'AGE'];
    expect(columnsOf(await kubectl(['get', 'tokenbudgets', '-n', namespace.name]))).toEqual(narrow);
    expect(columnsOf(await kubectl(['get', 'tb', '-n', namespace.name, '-o', 'wide']))).toEqual([
      ...narrow,
      'TOKENS',
      'RESETS',
      'TOP-MODEL',
      'PODS',
      'REASON',
    ]);
  });

  it.each<readonly [string, object, string]>([
    [
      'of two units in one limit',
      { limits: [{ ...DAILY, tokens: { max: 5 } }] },
      'spec.limits[0]: Invalid value: "object": exactly one of tokens, cost or requests must be set',
    ],
    [
      'of nothing',
      { limits: [{ ...DAILY, cost: { max: '0' } }] },
      'spec.limits[0].cost.max: Invalid value: "string": must be more than 0',
    ],
    [
      'of a float',
      { limits: [{ ...DAILY, cost: { max: 5.5 } }] },
      'spec.limits[0].cost.max in body must be of type string',
    ],
    [
      'in no time zone of this world',
      { timeZone: 'Mars/Base', limits: [DAILY] },
      'must be an IANA time zone, such as Europe/Berlin or Etc/UTC',
    ],
    [
      'of an unknown period',
      { limits: [{ ...DAILY, period: 'Fortnight' }] },
      'supported values: "Minute", "Hour", "Day", "Week", "Month", "Total"',
    ],
    [
      'that names its pods in two ways',
      {
        selector: { matchLabels: { a: 'b' } },
        targetRefs: [{ group: 'apps', kind: 'Deployment', name: 'x' }],
        limits: [DAILY],
      },
      'spec: Invalid value: "object": selector and targetRefs are mutually exclusive',
    ],
  ])('refuses a budget %s, and says which field and why', async (_what, spec, message) => {
    await isRefused(aBudget('bad', namespace.name, spec), message);
  });

  it.each<readonly [string, object, string]>([
    [
      'that leads to two places at once',
      { provider: { type: 'OpenAI' }, serviceRef: { name: 'models', port: 80 } },
      'exactly one of provider, serviceRef or inferenceServiceRef must be set',
    ],
    [
      'to a compatible provider at no address',
      { provider: { type: 'OpenAICompatible' } },
      'baseUrl is required for type OpenAICompatible',
    ],
    [
      'that nobody is sent to',
      { provider: { type: 'OpenAI' }, weight: 0 },
      'at least one backend needs a weight above 0',
    ],
  ])('refuses a route %s, and says what it lacks', async (_what, backend, message) => {
    await isRefused(aRoute('bad', namespace.name, backend), message);
  });

  it('refuses an inference service whose price is no number, and says which', async () => {
    const pricing = { inputPerMillion: 'cheap', outputPerMillion: '1.00' };
    await isRefused(aService('bad', namespace.name, { pricing }), 'spec.pricing.inputPerMillion');
  });

  it('explains each field of a limit', async () => {
    const explained = await kubectl(['explain', 'tokenbudget.spec.limits']);
    expect(explained).toMatch(/FIELD: limits <\[\]Object>/);
    for (const sentence of ['Limits money.', 'Limits the number of calls.', 'Limits tokens.', 'Length of the window.'])
      expect(explained).toContain(sentence);
    // Every field has its line of description below it.
    const fields = explained.slice(explained.indexOf('FIELDS:')).split('\n').slice(1);
    for (const [index, line] of fields.entries())
      if (/^ {2}\w+\t</.test(line)) expect(fields.slice(index + 1, index + 3).join('\n')).toMatch(/^ {4}[A-Z]/m);
  });
});
