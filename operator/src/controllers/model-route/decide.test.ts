import { describe, expect, it } from '@jest/globals';
import type { ModelRoute } from '@tollgate/api';
import { ModelRouteStatusSchema } from '@tollgate/api/schema';
import { admitManifest, type Admission } from '../../programming/admitted-manifest.ts';
import type { BackendFigures } from '../../programming/server-views.ts';
import { aRouteObject, aRouteView, NOW } from '../testing/objects.ts';
import { decideRoute, type RouteWorld } from './decide.ts';
import type { Resolution } from './targets.ts';

const OPENAI = { name: 'openai', provider: { type: 'OpenAI', credentialsSecretRef: { name: 'keys', key: 'openai' } } };
const LOCAL = { name: 'local', serviceRef: { name: 'vllm', port: 8000 }, model: 'llama' };
const LLAMA = { name: 'llama', inferenceServiceRef: { name: 'llama' } };
const KSERVE = { name: 'kserve', inferenceServiceRef: { group: 'serving.kserve.io', name: 'llama' } };

interface Stated {
  readonly backends?: readonly object[];
  readonly resolutions?: Readonly<Record<string, Resolution>>;
  readonly figures?: readonly Partial<BackendFigures>[];
  readonly status?: object;
}

const aWorld = ({ backends = [OPENAI, LOCAL], resolutions = {}, figures = [], status }: Stated = {}): RouteWorld => {
  const object = aRouteObject(backends, status === undefined ? {} : { status });
  return {
    object,
    admission: admitManifest('ModelRoute', object, 'tollgate-system') as Admission<ModelRoute>,
    resolutions: new Map(Object.entries(resolutions)),
    view: aRouteView(figures.map((each) => ({ rule: 'all', name: '', ...each }))),
    operatorAccount: 'tollgate-system:tollgate-operator',
    now: NOW,
  };
};

const condition = (stated: Stated, type: string) =>
  decideRoute(aWorld(stated)).status.conditions?.find((each) => each.type === type);

const FOUND: Resolution = { state: 'found', url: null };

describe('the status of a route', () => {
  it('shows each backend as the proxies saw it, in the words of the schema', () => {
    const { status } = decideRoute(
      aWorld({
        resolutions: { 'Secret/keys': FOUND, 'Service/vllm': FOUND },
        figures: [
          { name: 'openai', requests: 100, errors: 3, latencyP95Ms: 1_840, lastError: 'answered 500' },
          { name: 'local', requests: 10, errors: 9, latencyP95Ms: 230, lastError: 'did not answer' },
        ],
      }),
    );
    expect(ModelRouteStatusSchema.parse(status)).toEqual(status);
    expect(status).toMatchObject({
      summary: { models: '*', backends: '1/2' },
      backends: [
        { name: 'openai', healthy: 'True', requests: 100, errors: 3, latencyP95: '1.8s', lastError: 'answered 500' },
        { name: 'local', healthy: 'False', url: 'http://vllm.team-a.svc:8000', latencyP95: '230ms' },
      ],
    });
    expect(status.conditions).toMatchObject([
      { type: 'Ready', status: 'True', reason: 'Degraded' },
      { type: 'Accepted', status: 'True' },
      { type: 'ResolvedRefs', status: 'True' },
    ]);
  });

  it('does not know how a backend is that nobody calls', () => {
    expect(decideRoute(aWorld()).status.backends?.map(({ healthy }) => healthy)).toEqual(['Unknown', 'Unknown']);
    expect(condition({}, 'Ready')).toMatchObject({ status: 'True', reason: 'Serving' });
  });

  it('names the command that lets the operator see a Secret; the proxy may read it all the same', () => {
    const stated: Stated = { resolutions: { 'Secret/keys': { state: 'hidden' } } };
    expect(condition(stated, 'ResolvedRefs')).toMatchObject({
      status: 'False',
      reason: 'SecretNotReadable',
      message: expect.stringContaining(
        'kubectl create role tollgate-sees-keys -n team-a --verb=get --resource=secrets --resource-name=keys',
      ),
    });
    const message = condition(stated, 'ResolvedRefs')?.message;
    expect(message).toContain('--serviceaccount=tollgate-system:tollgate-operator');
    expect(message).toContain('kubectl tollgate grant secret keys -n team-a --apply');
    expect(condition(stated, 'Ready')).toMatchObject({ status: 'True', reason: 'Serving' });
    expect(decideRoute(aWorld(stated)).isUnresolved).toBe(true);
  });

  it.each([
    ['a Secret that is not there', OPENAI, 'Secret/keys', { state: 'missing' }, 'SecretNotFound'],
    ['a Service that is not there', LOCAL, 'Service/vllm', { state: 'missing' }, 'ServiceNotFound'],
    [
      'an inference service that is not there',
      LLAMA,
      'LLMInferenceService/llama',
      { state: 'missing' },
      'InferenceServiceNotFound',
    ],
    ['one without an address', LLAMA, 'LLMInferenceService/llama', { state: 'no address' }, 'InferenceServiceNotReady'],
    ["KServe's that is not there", KSERVE, 'KServe/llama', { state: 'missing' }, 'InferenceServiceNotFound'],
  ] as const)('says of %s what is missing', (_title, backend, target, resolution, reason) => {
    const stated: Stated = { backends: [backend], resolutions: { [target]: resolution } };
    expect(condition(stated, 'ResolvedRefs')).toMatchObject({ status: 'False', reason });
    expect(condition(stated, 'Ready')).toMatchObject({ status: 'False', reason: 'NoUsableBackend' });
    expect(
      condition({ ...stated, backends: [backend, { name: 'other', provider: { type: 'OpenAI' } }] }, 'Ready'),
    ).toMatchObject({
      status: 'True',
      reason: 'Degraded',
    });
  });

  it('is not ready where every backend fails', () => {
    const figures = ['openai', 'local'].map((name) => ({ name, requests: 4, errors: 4 }));
    expect(condition({ figures }, 'Ready')).toMatchObject({ status: 'False', reason: 'BackendsFailing' });
  });

  it('shows no password that a URL carries', () => {
    const provider = { type: 'OpenAICompatible', baseUrl: 'https://user:secret@llm.example/v1?key=secret' };
    const stated: Stated = { backends: [{ name: 'x', provider }] };
    expect(condition(stated, 'Accepted')).toMatchObject({
      status: 'False',
      message: expect.stringContaining('without user, password'),
    });
    expect(JSON.stringify(decideRoute(aWorld(stated)).status)).not.toContain('secret');
  });

  it('says of an invalid route what is wrong', () => {
    expect(condition({ backends: [] }, 'Accepted')).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(condition({ backends: [] }, 'Ready')).toMatchObject({ status: 'False', reason: 'Invalid' });
  });
});

describe('how large a change of a route is', () => {
  const calm = { figures: [{ name: 'openai', requests: 10, errors: 0 }] };
  const { status } = decideRoute(aWorld(calm));

  it.each([
    ['none, where nothing differs', calm, null],
    ['drift, where only the traffic moved', { figures: [{ name: 'openai', requests: 90, errors: 1 }] }, 0],
    ['large, where a backend fails', { figures: [{ name: 'openai', requests: 90, errors: 80 }] }, 1_000_000_000],
  ])('%s', (_title, stated, size) => {
    expect(decideRoute(aWorld({ ...stated, status })).changeSize).toBe(size);
  });
});
