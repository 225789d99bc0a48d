import { describe, expect, it } from '@jest/globals';
import { makeMetrics } from '@tollgate/runtime';
import type { KubeApi } from './kube-api.ts';
import { KubeFault } from './kube-fault.ts';
import type { KubeKind, KubeObject } from './kube-object.ts';
import { KUBE_METRICS } from './metrics.ts';
import { makeStatusWriter } from './status-writer.ts';

interface Budget extends KubeObject {
  readonly status?: unknown;
}

const BUDGET: KubeKind = { group: 'test.dev', version: 'v1', kind: 'Budget', plural: 'budgets', namespaced: true };
const budget = (version: string, status?: object): Budget => ({
  metadata: { namespace: 'a', name: 'b', uid: 'u1', resourceVersion: version },
  ...(status && { status }),
});

const setUp = () => {
  const applied: unknown[] = [];
  const metrics = makeMetrics(KUBE_METRICS, { processMetrics: false });
  let answer: () => KubeObject = () => budget('2');
  const api = {
    apply: async (_kind: unknown, object: unknown, options: unknown) => {
      applied.push([object, options]);
      return answer();
    },
  } as Pick<KubeApi, 'apply'>;
  const writer = makeStatusWriter({ api, fieldManager: 'budgets', metrics });
  const write = (object: Budget, status: object) => writer.write(BUDGET, object, status);
  return { applied, metrics, write, answers: (act: () => KubeObject) => void (answer = act) };
};

describe('the status writer', () => {
  it('applies the whole status as its own manager, for the object it has seen and no other', async () => {
    const { applied, write } = setUp();
    expect(await write(budget('1'), { used: 3, left: undefined })).toBe('written');
    expect(applied).toEqual([
      [
        { metadata: { namespace: 'a', name: 'b', uid: 'u1' }, status: { used: 3 } },
        { fieldManager: 'budgets', force: true, subresource: 'status' },
      ],
    ]);
  });

  it('writes nothing where nothing differs, in whatever order the fields stand', async () => {
    const { applied, write } = setUp();
    const object = budget('1', { used: 3, conditions: [{ type: 'Ready', status: 'True' }] });
    const status = { conditions: [{ status: 'True', type: 'Ready', message: undefined }], used: 3 };
    expect([await write(object, status), applied.length]).toEqual(['unchanged', 0]);
    expect(await write(object, { used: 3 })).toBe('written');
    expect(await write(budget('3', { used: 3, foreign: 1 }), { used: 4 })).toBe('written');
  });

  it('knows what it wrote before the cache does', async () => {
    const { applied, write } = setUp();
    const cached = budget('1', { used: 3 });
    await write(cached, { used: 4 });
    expect(await write(cached, { used: 4 })).toBe('unchanged');
    expect(await write(cached, { used: 3 })).toBe('written');
    expect(applied).toHaveLength(2);
  });

  it('does not write again and again where another manager has a field of the status', async () => {
    const { applied, write, answers } = setUp();
    const cached = budget('7', { used: 3, foreign: 1 });
    answers(() => cached);
    expect([await write(cached, { used: 3 }), await write(cached, { used: 3 })]).toEqual(['unchanged', 'unchanged']);
    expect(applied).toHaveLength(1);
  });

  it('tells an object that is gone or another one from a fault, and counts each', async () => {
    const { metrics, write, answers } = setUp();
    const fails = (status: number, message: string) =>
      answers(() => {
        throw new KubeFault({ status, reason: 'x', message });
      });
    fails(404, 'not found');
    expect(await write(budget('1'), { used: 1 })).toBe('gone');
    fails(409, 'Precondition failed: UID in precondition: u1, UID in object meta: u2');
    expect(await write(budget('1'), { used: 1 })).toBe('gone');
    fails(422, 'metadata.uid: Invalid value: "u1": field is immutable');
    expect(await write(budget('1'), { used: 1 })).toBe('gone');
    answers(() => ({ metadata: { ...budget('9').metadata, uid: 'u2' } }));
    expect(await write(budget('1'), { used: 1 })).toBe('gone');
    fails(422, 'status.used: Invalid value: must be a number');
    await expect(write(budget('1'), { used: 1 })).rejects.toMatchObject({ status: 422 });
    fails(409, 'the object has been modified; please apply your changes to the latest version');
    await expect(write(budget('1'), { used: 1 })).rejects.toMatchObject({ status: 409 });
    fails(503, 'away');
    await expect(write(budget('1'), { used: 1 })).rejects.toMatchObject({ status: 503 });
    const page = await metrics.page();
    expect(page).toContain('tollgate_kube_status_writes_total{kind="Budget",outcome="gone"} 4');
    expect(page).toContain('tollgate_kube_status_writes_total{kind="Budget",outcome="failed"} 3');
  });
});
