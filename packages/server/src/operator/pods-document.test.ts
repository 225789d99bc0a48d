import { describe, expect, it } from '@jest/globals';
import { readPods } from './pods-document.ts';

const POD = {
  uid: '0b1c-1',
  namespace: 'shop',
  name: 'web-7d4b9c-x2x4z',
  workload: 'web',
  workloadKind: 'Deployment',
  serviceAccount: 'web',
  labels: { app: 'web', 'tollgate.dev/team': 'a' },
  team: 'a',
  configHash: 'h1',
};

describe('pods as the operator sends them', () => {
  it('are subjects by the UID of their pod', () => {
    const reading = readPods({ pods: [POD] });
    expect(reading).toMatchObject({
      ok: true,
      content: [
        {
          uid: '0b1c-1',
          configHash: 'h1',
          subject: {
            namespace: 'shop',
            workload: 'web',
            workloadKind: 'Deployment',
            serviceAccount: 'web',
            pod: 'web-7d4b9c-x2x4z',
            labels: POD.labels,
            team: 'a',
          },
        },
      ],
    });
    if (!reading.ok) return;
    expect(readPods(JSON.parse(reading.text))).toEqual(reading);
  });

  it('are the same in any order, and may say more than is known here', () => {
    const other = { ...POD, uid: '0b1c-2', name: 'web-7d4b9c-aaaaa' };
    const one = readPods({ pods: [POD, other] });
    const two = readPods({ pods: [{ ...other, node: 'n1' }, POD] });
    expect(one.ok && two.ok && one.version === two.version).toBe(true);
  });

  it('of which little is known belong to the default account', () => {
    const { serviceAccount: _account, workloadKind: _kind, configHash: _hash, ...bare } = POD;
    expect(readPods({ pods: [bare] })).toMatchObject({ content: [{ subject: { serviceAccount: 'default' } }] });
  });

  it.each<[string, unknown, string]>([
    ['nothing', null, ''],
    ['no list', {}, 'pods'],
    ['a field beside it', { pods: [], budgets: [] }, ''],
    ['no pod', { pods: ['x'] }, 'pods[0]'],
    ['no UID', { pods: [{ ...POD, uid: '' }] }, 'pods[0].uid'],
    ['a UID with NUL', { pods: [{ ...POD, uid: 'a\0' }] }, 'pods[0].uid'],
    ['one UID twice', { pods: [POD, { ...POD, name: 'other' }] }, 'pods[1].uid'],
    ['no namespace', { pods: [{ ...POD, namespace: 'Shop/..' }] }, 'pods[0].namespace'],
    ['no team', { pods: [{ ...POD, team: '' }] }, 'pods[0].team'],
    ['labels that are a text', { pods: [{ ...POD, labels: 'app=web' }] }, 'pods[0].labels'],
    [
      'a prototype for a label',
      { pods: [{ ...POD, labels: JSON.parse('{"__proto__":"x"}') }] },
      'pods[0].labels.__proto__',
    ],
  ])('are refused with %s, and say where', (_what, value, path) => {
    const reading = readPods(value);
    expect(reading.ok ? [] : reading.faults.map((fault) => fault.path)).toContain(path);
  });
});
