import { describe, expect, it } from '@jest/globals';
import { INJECT } from './names.ts';
import { templatePod } from './template-pod.ts';
import { templateWarnings } from './template-warnings.ts';
import { anApp, someNamespace, someSettings } from './testing/pods.ts';
import { parseWorkload } from './workload-object.ts';

const told = (annotations: Readonly<Record<string, string>>, spec: object = {}): readonly string[] => {
  const template = { spec: { containers: [anApp()], ...spec } };
  const workload = parseWorkload('Deployment', { metadata: { name: 'web' }, spec: { template } });
  const pod = workload === null ? null : templatePod(workload, annotations);
  if (pod === null) throw new Error('the template cannot be read');
  return templateWarnings(pod, someNamespace(), someSettings());
};
const asks = { [INJECT]: 'true' };
const foreign = { name: 'tollgate-proxy', image: 'another' };
const onPort = { containers: [anApp({ ports: [{ containerPort: 4100 }] })] };

describe('who annotates a workload is told', () => {
  it('nothing where its pods come to carry the proxy', () => {
    expect(told(asks)).toEqual([]);
  });

  it.each([
    ["on their node's network", { hostNetwork: true }, /run unmetered: the pod is on its node's network/],
    ['on the port of the proxy', onPort, /container app uses port 4100.*choose another.*tollgate\.dev\/proxy-port$/],
    ['with a proxy of their own', { containers: [anApp(), foreign] }, /^its pods will be refused: .*\(ForgedProxy\)$/],
  ])('that its pods cannot carry the proxy: %s', (_where, spec, expected) => {
    expect(told(asks, spec)).toEqual([expect.stringMatching(expected)]);
    expect(told({}, spec)).toEqual([]);
    expect(told({ [INJECT]: 'false' }, spec)).toEqual([]);
  });

  it('nothing any more once another port is chosen', () => {
    expect(told({ ...asks, 'tollgate.dev/proxy-port': '5100' }, onPort)).toEqual([]);
  });

  it('which of its settings cannot be used', () => {
    expect(told({ ...asks, 'tollgate.dev/proxy-cpu-limit': '1m' })).toEqual([
      'tollgate.dev/proxy-cpu-limit: the proxy needs 20m at least; the default is taken',
    ]);
  });
});

describe('a template that cannot be read', () => {
  it('has no pod', () => {
    const workload = parseWorkload('Deployment', { metadata: {}, spec: { template: { spec: { containers: 'x' } } } });
    expect(workload === null ? 'no workload' : templatePod(workload, {})).toBeNull();
  });
});
