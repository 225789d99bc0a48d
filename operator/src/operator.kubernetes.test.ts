import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startOperatorCluster, type OperatorCluster, type OperatorProcess } from './testing/operator-cluster.ts';
import { until } from './testing/until.ts';

const INJECTION = { proxyImage: 'registry.test/tollgate-proxy:1', serverUrl: 'http://server.test' };

let cluster: OperatorCluster;
let operator: OperatorProcess;

beforeAll(async () => {
  cluster = await startOperatorCluster();
  operator = await cluster.startOperator({ injection: INJECTION });
  await until('the operator leads', () => operator.isLeading());
}, 180_000);

afterAll(() => cluster?.stop(), 60_000);

const kubectl = (...args: readonly string[]): Promise<string> => cluster.api.kubectl(args);
const apply = (object: object): Promise<string> => cluster.api.kubectl(['apply', '-f', '-'], JSON.stringify(object));

const conditionOf = async (kind: string, name: string, type: string): Promise<string> => {
  const path = `{range .status.conditions[?(@.type=="${type}")]}{.status}/{.reason}/{.observedGeneration}{end}`;
  return kubectl('get', kind, name, '-o', `jsonpath=${path}`);
};

const saying = (kind: string, name: string, type: string, text: string): Promise<void> =>
  until(`${kind} ${name}: ${type} ${text}`, async () => (await conditionOf(kind, name, type)) === text);

const aBudget = (name: string, spec: object = {}): object => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'TokenBudget',
  metadata: { name, namespace: 'default' },
  spec: { limits: [{ name: 'daily', cost: { max: '5' }, period: 'Day' }], ...spec },
});

const aRoute = (name: string, backend: object): object => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'ModelRoute',
  metadata: { name, namespace: 'default' },
  spec: { rules: [{ name: 'all', backends: [{ name: 'only', ...backend }] }] },
});

describe('the operator on a real API server', () => {
  it('brings a budget into force and shows it, and a change of it too', async () => {
    await apply(aBudget('chat'));
    await saying('tb', 'chat', 'Ready', 'True/Enforcing/1');
    await saying('tb', 'chat', 'Programmed', 'True/Programmed/1');
    await apply(aBudget('chat', { enforcement: 'Audit' }));
    await saying('tb', 'chat', 'Ready', 'True/Observing/2');
    const row = (await kubectl('get', 'tokenbudgets', 'chat', '--no-headers')).trim().split(/\s+/);
    expect(row.slice(0, 8)).toEqual(['chat', 'Audit', '$0.00', '$5.00', '0%', '$0.00', '-', 'True']);
  });

  it('writes a status no more than once for what does not change', async () => {
    await saying('tb', 'chat', 'Ready', 'True/Observing/2');
    const version = (): Promise<string> => kubectl('get', 'tb', 'chat', '-o', 'jsonpath={.metadata.resourceVersion}');
    await sleep(6_000);
    const before = await version();
    await sleep(3_000);
    expect(await version()).toBe(before);
  });

  it('keeps a budget out of force that reaches beyond its place, and says so on it', async () => {
    await apply(aBudget('greedy', { namespaceSelector: {} }));
    await saying('tb', 'greedy', 'Accepted', 'False/NotPermitted/1');
    await saying('tb', 'greedy', 'Ready', 'False/NotPermitted/1');
    await until('an event says so', async () =>
      (await kubectl('get', 'events', '--field-selector', 'reason=BudgetInvalid', '-o', 'name')).includes('event/'),
    );
  });

  it('names the command that lets it see the Secret of a route, and that command does', async () => {
    const provider = { type: 'OpenAI', credentialsSecretRef: { name: 'keys', key: 'openai' } };
    await apply(aRoute('hosted', { provider }));
    await saying('mroute', 'hosted', 'ResolvedRefs', 'False/SecretNotReadable/1');
    const path = '{.status.conditions[?(@.type=="ResolvedRefs")].message}';
    const message = await kubectl('get', 'mroute', 'hosted', '-o', `jsonpath=${path}`);
    for (const [command] of message.matchAll(/kubectl create [^&)]+?(?= &&|\)|\.$)/g)) {
      await kubectl(...command.trim().split(' ').slice(1));
    }
    await saying('mroute', 'hosted', 'ResolvedRefs', 'False/SecretNotFound/1');
    await kubectl('create', 'secret', 'generic', 'keys', '--from-literal=openai=sk-test');
    await saying('mroute', 'hosted', 'ResolvedRefs', 'True/ResolvedRefs/1');
  }, 120_000);

  it('runs an inference service as a Deployment and a Service that go with it', async () => {
    const spec = {
      model: { uri: 'hf://a/b', name: 'b' },
      replicas: 1,
      template: { containers: [{ name: 'main', image: 'm' }] },
    };
    const service = { apiVersion: 'tollgate.dev/v1alpha1', kind: 'LLMInferenceService', metadata: { name: 'b' } };
    await apply({ ...service, spec });
    await saying('llmis', 'b', 'RouterReady', 'True/Available/1');
    const uid = await kubectl('get', 'llmis', 'b', '-o', 'jsonpath={.metadata.uid}');
    for (const made of ['deployment/b-llm', 'service/b-llm']) {
      expect(await kubectl('get', made, '-o', 'jsonpath={.metadata.ownerReferences[0].uid}')).toBe(uid);
    }
    await apply(aRoute('own', { inferenceServiceRef: { name: 'b' } }));
    await saying('mroute', 'own', 'ResolvedRefs', 'True/ResolvedRefs/1');
    await apply({ ...service, spec: { ...spec, prefill: { replicas: 1 } } });
    await saying('llmis', 'b', 'Accepted', 'False/UnsupportedField/2');
    await apply({
      ...service,
      spec: { ...spec, template: { containers: [{ name: 'main', image: 'm', ports: 'none' }] } },
    });
    await saying('llmis', 'b', 'Accepted', 'False/InvalidTemplate/3');
  });

  it('leaves a Deployment alone that somebody else wrote under the name', async () => {
    await kubectl('create', 'deployment', 'mine-llm', '--image=theirs');
    await apply({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'LLMInferenceService',
      metadata: { name: 'mine' },
      spec: { model: { uri: 'hf://a/b' }, template: { containers: [{ name: 'main', image: 'ours' }] } },
    });
    await saying('llmis', 'mine', 'Ready', 'False/NameTaken/1');
    const path = '{.spec.template.spec.containers[0].image}';
    expect(await kubectl('get', 'deployment', 'mine-llm', '-o', `jsonpath=${path}`)).toBe('theirs');
  });

  it('reports a pod that asks for the proxy and lacks it, and touches it not', async () => {
    await kubectl('create', 'serviceaccount', 'default').catch(() => '');
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bare', annotations: { 'tollgate.dev/inject': 'true' } },
      spec: { containers: [{ name: 'app', image: 'app' }] },
    });
    await saying('tb', 'chat', 'Programmed', 'False/PartiallyProgrammed/2');
    await saying('tb', 'chat', 'Ready', 'True/Observing/2');
    expect(await kubectl('get', 'tb', 'chat', '-o', 'jsonpath={.status.bypassingPods}')).toBe('1');
    await until('an event says so', async () =>
      (await kubectl('get', 'events', '--field-selector', 'reason=ProxyMissing', '-o', 'name')).includes('event/'),
    );
    await kubectl('delete', 'pod', 'bare', '--now');
    await saying('tb', 'chat', 'Programmed', 'True/Programmed/2');
  });

  it('says on a pod without the proxy what keeps it out, and which word it does not take', async () => {
    const pod = (name: string, inject: string, spec: object = {}): object => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, annotations: { 'tollgate.dev/inject': inject } },
      spec: { containers: [{ name: 'app', image: 'app' }], ...spec },
    });
    await apply(pod('hosted', 'true', { hostNetwork: true }));
    await apply(pod('slipped', 'TRUE'));
    const noteOn = (name: string): Promise<string> =>
      kubectl('get', 'events', '--field-selector', `involvedObject.name=${name}`, '-o', 'jsonpath={.items[*].message}');
    await until('an event says what keeps it out', async () =>
      /It cannot carry one: the pod is on its node's network.* \(HostNetwork\)/.test(await noteOn('hosted')),
    );
    await until('an event says which word is wrong', async () =>
      (await noteOn('slipped')).includes('must be "true" or "false", not "TRUE"'),
    );
    await kubectl('delete', 'pod', 'hosted', 'slipped', '--now');
    await saying('tb', 'chat', 'Programmed', 'True/Programmed/2');
  });

  it('goes on after the API server was killed', async () => {
    await cluster.api.killApiServer();
    await sleep(2_000);
    await cluster.api.startApiServer();
    await apply(aBudget('after'));
    await saying('tb', 'after', 'Ready', 'True/Enforcing/1');
  }, 120_000);

  it('is followed at once by another when it stops, and after its lease when it is killed', async () => {
    const second = await cluster.startOperator();
    expect(await second.isLeading()).toBe(false);
    expect(await operator.end('SIGTERM')).toBe(0);
    await until('the second leads', () => second.isLeading());
    await apply(aBudget('by-the-second'));
    await saying('tb', 'by-the-second', 'Ready', 'True/Enforcing/1');
    const third = await cluster.startOperator();
    await second.end('SIGKILL');
    await until('the third leads', () => third.isLeading());
    await apply(aBudget('by-the-third'));
    await saying('tb', 'by-the-third', 'Ready', 'True/Enforcing/1');
    operator = third;
  }, 180_000);
});
