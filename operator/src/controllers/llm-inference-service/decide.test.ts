import { describe, expect, it } from '@jest/globals';
import type { LLMInferenceService } from '@tollgate/api';
import { LLMInferenceServiceStatusSchema } from '@tollgate/api/schema';
import { admitManifest, type Admission } from '../../programming/admitted-manifest.ts';
import { aRouteView, aServiceObject, NOW } from '../testing/objects.ts';
import { decideService, type ServiceWorld } from './decide.ts';
import { trafficOf } from './traffic.ts';
import { deploymentFor, serviceFor } from './workload.ts';

const admitted = (object: ReturnType<typeof aServiceObject>): Admission<LLMInferenceService> =>
  admitManifest('LLMInferenceService', object, 'tollgate-system') as Admission<LLMInferenceService>;

const aWorld = (spec: object = {}, stated: Partial<ServiceWorld> = {}): ServiceWorld => {
  const object = stated.object ?? aServiceObject(spec);
  return {
    object,
    admission: admitted(object),
    made: { state: 'made' },
    pods: { wanted: 2, running: 2, ready: 2 },
    traffic: {},
    now: NOW,
    ...stated,
  };
};

const condition = (world: ServiceWorld, type: string) =>
  decideService(world).status.conditions?.find((each) => each.type === type);

const service = (spec: object = {}): LLMInferenceService => {
  const admission = admitted(aServiceObject(spec));
  if (!admission.accepted) throw new Error(admission.message);
  return admission.resource;
};

describe('the status of an inference service', () => {
  it('says where it is reached and how many pods are ready, in the words of the schema', () => {
    const { status } = decideService(aWorld({}, { traffic: { tokensPerSecond: '12.5' } }));
    expect(LLMInferenceServiceStatusSchema.parse(status)).toEqual(status);
    expect(status).toMatchObject({
      url: 'http://llama-llm.team-a.svc:8000',
      addresses: [{ name: 'cluster', url: 'http://llama-llm.team-a.svc:8000' }],
      replicas: 2,
      readyReplicas: 2,
      tokensPerSecond: '12.5',
    });
    expect(status.conditions?.map(({ type, status: holds }) => `${type} ${holds}`)).toEqual([
      'Ready True',
      'Accepted True',
      'WorkloadsReady True',
      'RouterReady True',
    ]);
  });

  it.each([
    ['prefill', { prefill: {} }, 'spec.prefill'],
    ['worker', { worker: {} }, 'spec.worker'],
    ['a scheduler', { router: { scheduler: {} } }, 'spec.router.scheduler'],
    ['a gateway', { router: { gateway: {} } }, 'spec.router.gateway'],
    ['a route of its own', { router: { route: { http: {} } } }, 'spec.router.route.http'],
    ['configurations', { baseRefs: [{ name: 'x' }] }, 'spec.baseRefs'],
    ['several devices', { parallelism: { tensor: 4 } }, 'spec.parallelism.tensor'],
  ])('says that %s is not supported', (_title, spec, path) => {
    expect(condition(aWorld(spec), 'Accepted')).toMatchObject({
      status: 'False',
      reason: 'UnsupportedField',
      message: expect.stringContaining(path),
    });
    expect(decideService(aWorld(spec)).status.url).toBeUndefined();
  });

  it.each([
    ['no template', { template: undefined }, 'spec.template'],
    ['no container', { template: { containers: [] } }, 'spec.template.containers'],
    [
      'several containers, none of them main',
      { template: { containers: [{ name: 'a' }, { name: 'b' }] } },
      'called main',
    ],
    ['a weight that is none', { router: { route: { group: 'g', weight: -1 } } }, 'spec.router.route.weight'],
  ])('says what is wrong with %s', (_title, spec, text) => {
    expect(condition(aWorld(spec), 'Accepted')).toMatchObject({
      reason: 'InvalidTemplate',
      message: expect.stringContaining(text),
    });
  });

  it.each([
    ['no pod is ready', { pods: { wanted: 2, running: 2, ready: 0 } }, 'False', 'NoReadyPods'],
    ['some are', { pods: { wanted: 2, running: 2, ready: 1 } }, 'True', 'Progressing'],
    ['none is wanted', { pods: { wanted: 0, running: 0, ready: 0 } }, 'False', 'ScaledToZero'],
    ['the Deployment is not seen yet', { pods: null }, 'False', 'Pending'],
    [
      'the API server does not take the template',
      { made: { state: 'refused', reason: 'InvalidTemplate', message: 'x' } },
      'False',
      'InvalidTemplate',
    ],
    ['the name is taken', { made: { state: 'refused', reason: 'NameTaken', message: 'x' } }, 'False', 'NameTaken'],
  ] as const)('says of Ready, when %s', (_when, stated, status, reason) => {
    expect(condition(aWorld({}, stated), 'Ready')).toMatchObject({ status, reason });
  });

  it('keeps its address while a write fails', () => {
    const object = aServiceObject({}, { status: { url: 'http://llama-llm.team-a.svc:8000' } });
    const made = { state: 'refused', reason: 'Forbidden', message: 'x' } as const;
    expect(decideService(aWorld({}, { object, made })).status.url).toBe('http://llama-llm.team-a.svc:8000');
  });

  it('changes for itself by nothing, and by drift where only the traffic moved', () => {
    const { status } = decideService(aWorld());
    const object = aServiceObject({}, { status });
    expect(decideService(aWorld({}, { object })).changeSize).toBeNull();
    expect(decideService(aWorld({}, { object, traffic: { cost: '$0.10' } })).changeSize).toBe(0);
    expect(decideService(aWorld({}, { object, pods: null })).changeSize).toBeGreaterThan(0);
  });
});

describe('what is made of an inference service', () => {
  it('belongs to it, so that it goes with it', () => {
    for (const made of [deploymentFor(service(), 'u'), serviceFor(service(), 'u')]) {
      expect(made.metadata).toMatchObject({
        name: 'llama-llm',
        namespace: 'team-a',
        ownerReferences: [{ kind: 'LLMInferenceService', name: 'llama', uid: 'u', controller: true }],
      });
    }
  });

  it('is the template with what the container needs to know, and no replicas that were not asked for', () => {
    expect(deploymentFor(service({ labels: { team: 'x' } }), 'u').spec).toEqual({
      selector: { matchLabels: { 'tollgate.dev/inference-service': 'llama' } },
      template: {
        metadata: {
          labels: {
            team: 'x',
            'app.kubernetes.io/part-of': 'llminferenceservice',
            'tollgate.dev/inference-service': 'llama',
          },
        },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'vllm:1',
              env: [
                { name: 'MODEL_NAME', value: 'llama-3' },
                { name: 'MODEL_URI', value: 'hf://meta/llama-3' },
              ],
              ports: [{ name: 'http', containerPort: 8000, protocol: 'TCP' }],
            },
          ],
        },
      },
    });
    expect(deploymentFor(service({ replicas: 0 }), 'u').spec['replicas']).toBe(0);
  });

  it('keeps what the container says itself', () => {
    const main = {
      name: 'main',
      image: 'x',
      env: [{ name: 'MODEL_NAME', value: 'own' }],
      ports: [{ containerPort: 9000 }],
    };
    const own = service({ template: { containers: [{ name: 'side', image: 'y' }, main] } });
    const { containers } = (deploymentFor(own, 'u').spec['template'] as { spec: { containers: object[] } }).spec;
    expect(containers[0]).toEqual({ name: 'side', image: 'y' });
    expect(containers[1]).toMatchObject({
      env: [{ name: 'MODEL_NAME', value: 'own' }, { name: 'MODEL_URI' }],
      ports: [{ containerPort: 9000 }],
    });
    expect(serviceFor(own, 'u').spec['ports']).toMatchObject([{ port: 9000, targetPort: 9000 }]);
  });

  it('leaves to the API server what is no list where one belongs', () => {
    const odd = service({
      template: { containers: [{ name: 'main', image: 'x', ports: 'none', env: {} }], volumes: 5 },
    });
    expect((deploymentFor(odd, 'u').spec['template'] as { spec: object }).spec).toEqual({
      containers: [{ name: 'main', image: 'x', ports: 'none', env: {} }],
      volumes: 5,
    });
  });

  it('mounts a model that lies in a volume', () => {
    const stored = service({ model: { uri: 'pvc://models/llama/3' } });
    expect((deploymentFor(stored, 'u').spec['template'] as { spec: object }).spec).toMatchObject({
      volumes: [{ persistentVolumeClaim: { claimName: 'models', readOnly: true } }],
      containers: [{ volumeMounts: [{ mountPath: '/mnt/models', subPath: 'llama/3', readOnly: true }] }],
    });
  });
});

describe('what the callers of a service saw', () => {
  it('is taken together over the routes that lead to it, and nothing where nobody says', () => {
    const figures = { rule: 'all', outputTokens: 3_000, charged: 5_000_000n, firstByteP95Ms: 180 };
    const view = aRouteView(
      [
        { ...figures, name: 'a' },
        { ...figures, name: 'b' },
        { ...figures, name: 'other' },
      ],
      {
        a: 'llama',
        b: 'llama',
        other: 'mistral',
      },
    );
    expect(trafficOf({ namespace: 'team-a', name: 'llama' }, [view])).toEqual({
      tokensPerSecond: '20.0',
      ttftP95: '180ms',
      cost: '$0.01',
    });
    expect(trafficOf({ namespace: 'team-b', name: 'llama' }, [view])).toEqual({});
  });

  it('counts namesakes of two rules once, whose figures are those of both', () => {
    const backend = { name: 'a', outputTokens: 3_000, charged: 5_000_000n, firstByteP95Ms: 180 };
    const view = aRouteView([{ ...backend, rule: 'all' }], { a: 'llama' });
    const [rule] = view.resource.spec.rules;
    if (rule === undefined) throw new Error('a route has a rule');
    const twice = {
      ...view,
      resource: { spec: { rules: [rule, { ...rule, name: 'others' }] } },
      backends: [
        { ...backend, rule: 'all' },
        { ...backend, rule: 'others' },
      ],
    };
    expect(trafficOf({ namespace: 'team-a', name: 'llama' }, [twice])).toEqual(
      trafficOf({ namespace: 'team-a', name: 'llama' }, [view]),
    );
  });
});
