/** What the operator reads of others: who made a pod, what its proxy says of it, and where KServe's services are. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PODS } from './kinds.ts';
import type { KubeKind, KubeMeta, KubeObject } from './kube/kube-object.ts';
import { clientOf, type TestClient } from './kube/testing/client-of.ts';
import { INJECTED, PROXY_CONTAINER } from './injection/names.ts';
import {
  startOperatorCluster,
  SYSTEM,
  type OperatorCluster,
  type OperatorProcess,
} from './testing/operator-cluster.ts';
import { until } from './testing/until.ts';

const CRDS: KubeKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
const batch = (kind: string, plural: string): KubeKind => ({
  group: 'batch',
  version: 'v1',
  kind,
  plural,
  namespaced: true,
});
const CRON_JOBS = batch('CronJob', 'cronjobs');
const JOBS = batch('Job', 'jobs');
const tollgate = (kind: string, plural: string): KubeKind => ({
  group: 'tollgate.dev',
  version: 'v1alpha1',
  kind,
  plural,
  namespaced: true,
});
const BUDGETS = tollgate('TokenBudget', 'tokenbudgets');
const ROUTES = tollgate('ModelRoute', 'modelroutes');
const KSERVE: KubeKind = {
  group: 'serving.kserve.io',
  version: 'v1alpha2',
  kind: 'LLMInferenceService',
  plural: 'llminferenceservices',
  namespaced: true,
};
/** As much of KServe's own definition as is read of it. */
const KSERVE_CRD = {
  metadata: { name: 'llminferenceservices.serving.kserve.io' },
  spec: {
    group: KSERVE.group,
    scope: 'Namespaced',
    names: { kind: KSERVE.kind, plural: KSERVE.plural, singular: 'llminferenceservice' },
    versions: ['v1alpha1', 'v1alpha2'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1alpha2',
      subresources: { status: {} },
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    })),
  },
};

type AnyObject = KubeObject & Readonly<Record<string, unknown>>;

let cluster: OperatorCluster;
let client: TestClient;
let operator: OperatorProcess;

beforeAll(async () => {
  cluster = await startOperatorCluster();
  client = clientOf(cluster.api);
  await create(CRDS, KSERVE_CRD);
  await until('KServe is installed', () => client.api.serves(KSERVE));
  await cluster.api.kubectl(['create', 'serviceaccount', 'default']);
  operator = await cluster.startOperator();
  await until('the operator leads', () => operator.isLeading());
}, 180_000);

afterAll(async () => {
  client?.close();
  await cluster?.stop();
}, 60_000);

const create = (kind: KubeKind, { metadata, spec }: KubeObject & { readonly spec: object }): Promise<AnyObject> => {
  const place = kind.namespaced ? { namespace: 'default' } : {};
  return client.api.create<AnyObject>(kind, { spec, metadata: { ...metadata, ...place } });
};
const uidOf = ({ metadata }: KubeObject): string => metadata.uid ?? '';
const read = (kind: KubeKind, name: string) => client.api.get<AnyObject>(kind, { namespace: 'default', name });

const ownedBy = (kind: string, name: string, uid: string, apiVersion = 'batch/v1') => ({
  ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
});
const TEMPLATE = { spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'app' }] } };

/** A pod as the injector leaves it, and a token of its proxy. */
const anInjectedPod = async (name: string, metadata: Partial<KubeMeta> = {}): Promise<string> => {
  const pod = await create(PODS, {
    metadata: { name, labels: { [INJECTED]: 'true' }, ...metadata },
    spec: {
      serviceAccountName: 'default',
      initContainers: [{ name: PROXY_CONTAINER, image: 'proxy', restartPolicy: 'Always' }],
      containers: [{ name: 'app', image: 'app' }],
    },
  });
  return cluster.api.tokenOf({
    namespace: 'default',
    serviceAccount: 'default',
    audiences: ['tollgate'],
    pod: { name, uid: uidOf(pod) },
  });
};

const asProxy = (token: string, path: string, body?: object): Promise<Response> =>
  fetch(new URL(path, cluster.serverUrl), {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

/** Whom the server takes the proxy of this pod for. */
const helloOf = async (token: string, instance: string): Promise<Readonly<Record<string, unknown>>> => {
  const subject = { namespace: 'default', workload: 'claimed', labels: {}, team: 'default' };
  let answer: Readonly<Record<string, unknown>> = {};
  await until(`hello of ${instance}`, async () => {
    const response = await asProxy(token, '/v1/hello', { contract: 1, instance, version: '1', subject });
    answer = ((await response.json()) as { readonly subject: Readonly<Record<string, unknown>> }).subject;
    return response.ok;
  });
  return answer;
};

describe('who made a pod', () => {
  const aJob = (name: string, metadata: Partial<KubeMeta> = {}) =>
    create(JOBS, { metadata: { name, ...metadata }, spec: { template: TEMPLATE } });

  it('is the CronJob behind its Job', async () => {
    const spec = { schedule: '0 3 * * *', jobTemplate: { spec: { template: TEMPLATE } } };
    const nightly = await create(CRON_JOBS, { metadata: { name: 'nightly' }, spec });
    const job = await aJob('nightly-29384720', ownedBy('CronJob', 'nightly', uidOf(nightly)));
    const token = await anInjectedPod('nightly-29384720-x2x4z', ownedBy('Job', 'nightly-29384720', uidOf(job)));
    expect(await helloOf(token, 'nightly')).toMatchObject({ workload: 'nightly', workloadKind: 'CronJob' });
  });

  it('is the Job itself where nobody scheduled it, whatever its name looks like', async () => {
    const job = await aJob('import-20261121');
    const token = await anInjectedPod('import-20261121-abcde', ownedBy('Job', 'import-20261121', uidOf(job)));
    expect(await helloOf(token, 'import')).toMatchObject({ workload: 'import-20261121', workloadKind: 'Job' });
  });

  it('is the Job by its name where that is gone, or was made again since', async () => {
    const other = await create(CRON_JOBS, {
      metadata: { name: 'weekly' },
      spec: { schedule: '0 3 * * 0', jobTemplate: { spec: { template: TEMPLATE } } },
    });
    await aJob('weekly-29384721', ownedBy('CronJob', 'weekly', uidOf(other)));
    const token = await anInjectedPod('weekly-29384721-abcde', ownedBy('Job', 'weekly-29384721', 'another-uid'));
    expect(await helloOf(token, 'weekly')).toMatchObject({ workload: 'weekly-29384721', workloadKind: 'Job' });
  });

  it('is the Deployment behind its ReplicaSet', async () => {
    const token = await anInjectedPod('web-5d4f8c7b6f-x2x4z', {
      labels: { [INJECTED]: 'true', 'pod-template-hash': '5d4f8c7b6f' },
      ...ownedBy('ReplicaSet', 'web-5d4f8c7b6f', 'rs-uid', 'apps/v1'),
    });
    expect(await helloOf(token, 'web')).toMatchObject({ workload: 'web', workloadKind: 'Deployment' });
  });
});

describe('a pod whose proxy is not used', () => {
  const eventsOf = (reason: string): Promise<string> =>
    cluster.api.kubectl([
      'get',
      'events',
      '--field-selector',
      `reason=${reason}`,
      '-o',
      'jsonpath={.items[*].message}',
    ]);
  const bypassing = async (): Promise<unknown> =>
    ((await read(BUDGETS, 'chat'))?.['status'] as { readonly bypassingPods?: number } | undefined)?.bypassingPods;

  /** As the metrics of the operator have it; null: it does not say. */
  const podsIn = async (state: string): Promise<number | null> => {
    const page = await (await fetch(`${operator.url}/metrics`)).text();
    const value = new RegExp(`^tollgate_operator_pods\\{state="${state}"\\} (\\d+)$`, 'm').exec(page)?.[1];
    return value === undefined ? null : Number(value);
  };

  it('is told of, and counts as bypassing while it calls a provider past its proxy', async () => {
    await create(BUDGETS, {
      metadata: { name: 'chat' },
      spec: { limits: [{ name: 'daily', cost: { max: '5' }, period: 'Day' }] },
    });
    const token = await anInjectedPod('past');
    await helloOf(token, 'past');
    const stream = await asProxy(token, '/v1/snapshots?instance=past');
    expect(stream.status).toBe(200);
    try {
      await until('it is told of as unused', async () => (await eventsOf('ProxyUnused')) !== '');
      // The pods of other tests have no stream, and so nothing is found of them.
      await until('it is measured as unused', async () => (await podsIn('unused')) === 1);
      expect(await podsIn('direct')).toBe(0);
      await until('nothing bypasses', async () => (await bypassing()) === 0);
      const say = async (direct: readonly object[]): Promise<void> => {
        const said = await asProxy(token, '/v1/running', { instance: 'past', snapshot: 'v', direct });
        expect(said.status).toBe(204);
      };
      await say([{ host: 'api.openai.com', count: 3 }]);
      await until('it counts as bypassing', async () => (await bypassing()) === 1);
      expect(await eventsOf('DirectProviderConnection')).toContain('3 connections to api.openai.com past the proxy');
      const { conditions = [] } = ((await read(BUDGETS, 'chat'))?.['status'] ?? {}) as {
        readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
      };
      expect(conditions.find(({ type }) => type === 'Programmed')).toMatchObject({
        reason: 'PartiallyProgrammed',
        message: expect.stringContaining('1 pod calls providers past its proxy'),
      });
      await until('it is measured as calling past it', async () => (await podsIn('direct')) === 1);
      await say([]);
      await until('it is measured so no longer', async () => (await podsIn('direct')) === 0);
      await until('it counts no longer', async () => (await bypassing()) === 0);
    } finally {
      await stream.body?.cancel();
    }
  });
});

describe('a gateway', () => {
  const CALLER = '["default","ci"]';
  let token: string;
  let stream: Response;

  beforeAll(async () => {
    await cluster.api.kubectl(['create', 'serviceaccount', 'gateway', '-n', SYSTEM]);
    const pod = await client.api.create<AnyObject>(PODS, {
      metadata: { name: 'gateway-1', namespace: SYSTEM },
      spec: { serviceAccountName: 'gateway', containers: [{ name: 'proxy', image: 'proxy' }] },
    });
    token = await cluster.api.tokenOf({
      namespace: SYSTEM,
      serviceAccount: 'gateway',
      audiences: ['tollgate'],
      pod: { name: 'gateway-1', uid: uidOf(pod) },
    });
    const subject = { namespace: SYSTEM, workload: 'gateway', labels: {}, team: SYSTEM };
    const greeting = { contract: 1, instance: 'gateway', version: '1', subject };
    expect((await asProxy(token, '/v1/hello', greeting)).status).toBe(200);
    stream = await asProxy(token, '/v1/snapshots?instance=gateway');
    expect(stream.status).toBe(200);
  });
  afterAll(() => stream?.body?.cancel());

  /** What the stream of its caller begins with. */
  const policyOfCaller = async (): Promise<{
    readonly version: string;
    readonly budgets: readonly { name: string }[];
  }> => {
    const answer = await asProxy(token, `/v1/snapshots?instance=gateway&caller=${encodeURIComponent(CALLER)}`);
    let text = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.includes('\n')) break;
    }
    return JSON.parse(text.slice(0, text.indexOf('\n'))) as Awaited<ReturnType<typeof policyOfCaller>>;
  };
  const say = async (...callers: readonly object[]): Promise<void> => {
    const said = await asProxy(token, '/v1/running', { instance: 'gateway', snapshot: 'own', callers });
    expect(said.status).toBe(204);
  };
  const programmed = async (): Promise<readonly string[]> => {
    const { conditions = [] } = ((await read(BUDGETS, 'followed'))?.['status'] ?? {}) as {
      readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[];
    };
    return conditions.filter(({ type }) => type === 'Programmed').map(({ status, message }) => `${status}: ${message}`);
  };
  const says = (text: string): Promise<void> => until(text, async () => (await programmed()).includes(text));

  it('counts for a budget that binds one of its callers, by the version that it says it runs, until it follows none', async () => {
    await say();
    await create(BUDGETS, {
      metadata: { name: 'followed' },
      spec: { limits: [{ name: 'daily', cost: { max: '5' }, period: 'Day' }] },
    });
    await says('True: The server has it; no proxy is attached.');
    await say({ caller: CALLER, snapshot: 'former' });
    await says('False: No pod is attached; 0 of 1 gateways that follow it for their callers run this version.');
    const { version, budgets } = await policyOfCaller();
    expect(budgets.map(({ name }) => name)).toContain('followed');
    await say({ caller: CALLER, snapshot: version });
    await says('True: No pod is attached; 1 of 1 gateways that follow it for their callers run this version.');
    await say();
    await says('True: The server has it; no proxy is attached.');
  });
});

describe("a service of KServe's own kind", () => {
  const reasonOf = async (route: string): Promise<string | undefined> => {
    const { conditions = [] } = ((await read(ROUTES, route))?.['status'] ?? {}) as {
      readonly conditions?: readonly { readonly type: string; readonly reason: string }[];
    };
    return conditions.find(({ type }) => type === 'ResolvedRefs')?.reason;
  };
  const resolves = (reason: string): Promise<void> =>
    until(`ResolvedRefs ${reason}`, async () => (await reasonOf('theirs')) === reason);
  const setStatus = (status: object): Promise<unknown> =>
    client.api.apply<AnyObject>(
      KSERVE,
      { metadata: { namespace: 'default', name: 'llama' }, status },
      { fieldManager: 'kserve', force: true, subresource: 'status' },
    );

  it('is reached at the address in its status, from when it has one, and is never written', async () => {
    const inferenceServiceRef = { group: 'serving.kserve.io', name: 'llama' };
    await create(ROUTES, {
      metadata: { name: 'theirs' },
      spec: { rules: [{ name: 'all', backends: [{ name: 'llama', inferenceServiceRef }] }] },
    });
    await resolves('InferenceServiceNotFound');
    const made = await create(KSERVE, {
      metadata: { name: 'llama' },
      spec: { model: { uri: 'hf://meta/llama' }, router: { scheduler: {} } },
    });
    await resolves('InferenceServiceNotReady');
    await setStatus({ url: 'http://llama.example', address: { url: 'http://llama.default.svc.cluster.local' } });
    await resolves('ResolvedRefs');
    await until('the server sends calls there', async () => {
      const answer = await fetch(new URL('/v1/routes', cluster.serverUrl), {
        headers: { authorization: `Bearer ${await cluster.operatorToken()}` },
      });
      return (await answer.text()).includes('http://llama.default.svc.cluster.local/v1');
    });
    const now = await read(KSERVE, 'llama');
    expect(now).toMatchObject({ metadata: { uid: uidOf(made), generation: 1 } });
    expect(Object.keys(now?.['status'] as object).sort()).toEqual(['address', 'url']);
    await client.api.remove(KSERVE, { namespace: 'default', name: 'llama' });
    await resolves('InferenceServiceNotFound');
  });
});
