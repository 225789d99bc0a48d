import { describe, expect, it } from '@jest/globals';
import { makeFakeClock } from '@tollgate/testkit';
import type { KubeApi } from '../../kube/kube-api.ts';
import { KubeFault } from '../../kube/kube-fault.ts';
import { aCache, aServiceObject } from '../testing/objects.ts';
import { makeRefLookup } from './ref-lookup.ts';
import type { Target } from './targets.ts';

const SIGNAL = new AbortController().signal;

const aLookup = (answer: () => object | null = () => ({ metadata: { name: 'x' } })) => {
  const clock = makeFakeClock();
  const asked: string[] = [];
  const get = async (...[kind, name, options]: Parameters<KubeApi['get']>) => {
    asked.push(`${kind.kind} ${name.namespace ?? ''}/${name.name} ${String(options?.metadataOnly)}`);
    return answer();
  };
  const refs = makeRefLookup({
    api: { get: get as KubeApi['get'] },
    services: aCache([
      aServiceObject(),
      aServiceObject({}, { name: 'up', status: { url: 'http://up.team-a.svc:8000' } }),
    ]),
    kserve: () => [{ namespace: 'team-a', name: 'k', url: 'http://k' }],
    clock: clock.now,
  });
  const one = async (target: Target) => [...(await refs.resolve([target], 'team-a', SIGNAL)).values()][0];
  return { clock, asked, one };
};

const SECRET: Target = { kind: 'Secret', name: 'keys' };
const forbidden = (): never => {
  throw new KubeFault({ status: 403, reason: 'Forbidden', message: 'no' });
};

describe('looking up what routes name', () => {
  it('reads of a Secret its metadata alone, once for all who name it', async () => {
    const { asked, one } = aLookup();
    expect(await one(SECRET)).toEqual({ state: 'found', url: null });
    await one(SECRET);
    expect(asked).toEqual(['Secret team-a/keys true']);
  });

  it('tells what it may not see from what is not there', async () => {
    expect(await aLookup(forbidden).one(SECRET)).toEqual({ state: 'hidden' });
    expect(await aLookup(() => null).one({ kind: 'Service', name: 's' })).toEqual({ state: 'missing' });
  });

  it('looks again soon for what was missing, and after minutes for what was found', async () => {
    let answer: object | null = null;
    const { clock, asked, one } = aLookup(() => answer);
    await one(SECRET);
    await clock.advance(11_000);
    answer = {};
    expect(await one(SECRET)).toMatchObject({ state: 'found' });
    await clock.advance(299_000);
    await one(SECRET);
    expect(asked).toHaveLength(2);
    await clock.advance(2_000);
    await one(SECRET);
    expect(asked).toHaveLength(3);
  });

  it('leaves a fault that may pass to the queue', async () => {
    const away = (): never => {
      throw new KubeFault({ status: 0, reason: 'Unreachable', message: 'x' });
    };
    await expect(aLookup(away).one(SECRET)).rejects.toThrow('x');
  });

  it.each([
    [{ kind: 'Provider' }, { state: 'found', url: null }],
    [{ kind: 'LLMInferenceService', name: 'llama' }, { state: 'no address' }],
    [
      { kind: 'LLMInferenceService', name: 'up' },
      { state: 'found', url: 'http://up.team-a.svc:8000' },
    ],
    [{ kind: 'LLMInferenceService', name: 'gone' }, { state: 'missing' }],
    [
      { kind: 'KServe', name: 'k' },
      { state: 'found', url: 'http://k' },
    ],
    [{ kind: 'KServe', name: 'gone' }, { state: 'missing' }],
  ] as const)('finds %j in the caches', async (target, resolution) => {
    const { asked, one } = aLookup();
    expect(await one(target)).toEqual(resolution);
    expect(asked).toEqual([]);
  });
});
