import type { Subject } from '@tollgate/api';
import { describe, expect, it } from '@jest/globals';
import { selectorMatches, targetsSubject, type LabelSelector } from './selector.ts';

describe('selectorMatches', () => {
  const labels = { app: 'chat', tier: 'web', empty: '' };
  const one = (
    key: string,
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
    values?: string[],
  ): LabelSelector => ({
    matchExpressions: [values === undefined ? { key, operator } : { key, operator, values }],
  });

  it.each<[LabelSelector, boolean]>([
    [{}, true],
    [{ matchLabels: { app: 'chat' } }, true],
    [{ matchLabels: { app: 'chat', tier: 'db' } }, false],
    [{ matchLabels: { empty: '' } }, true],
    [{ matchLabels: { missing: '' } }, false],
    [{ matchLabels: { toString: 'x' } }, false],
    [one('app', 'In', ['mail', 'chat']), true],
    [one('app', 'In', ['mail']), false],
    [one('missing', 'In', ['mail']), false],
    [one('app', 'In'), false],
    [one('app', 'NotIn', ['mail']), true],
    [one('app', 'NotIn', ['chat']), false],
    [one('missing', 'NotIn', ['chat']), true],
    [one('tier', 'Exists'), true],
    [one('constructor', 'Exists'), false],
    [one('tier', 'DoesNotExist'), false],
    [one('missing', 'DoesNotExist'), true],
    [{ matchLabels: { app: 'chat' }, ...one('tier', 'DoesNotExist') }, false],
  ])('%j: %s', (selector, expected) => {
    expect(selectorMatches(selector, labels)).toBe(expected);
  });
});

describe('targetsSubject', () => {
  const subject: Subject = { namespace: 'team-a', workload: 'chat', serviceAccount: 'bot', labels: {}, team: 'team-a' };
  const ref = (kind: 'Deployment' | 'Job' | 'ServiceAccount' | 'ModelRoute', name: string) => [
    { group: '', kind, name },
  ];

  it('knows a workload by its name, and by its kind where that is known', () => {
    expect(targetsSubject(ref('Deployment', 'chat'), subject)).toBe(true);
    expect(targetsSubject(ref('Deployment', 'mail'), subject)).toBe(false);
    expect(targetsSubject(ref('Job', 'chat'), { ...subject, workloadKind: 'Deployment' })).toBe(false);
    expect(targetsSubject(ref('Deployment', 'chat'), { ...subject, workloadKind: 'Deployment' })).toBe(true);
  });

  it('knows a service account, and never takes a route for a caller', () => {
    expect(targetsSubject(ref('ServiceAccount', 'bot'), subject)).toBe(true);
    expect(targetsSubject(ref('ServiceAccount', 'chat'), subject)).toBe(false);
    expect(targetsSubject(ref('ModelRoute', 'chat'), subject)).toBe(false);
    expect(targetsSubject([], subject)).toBe(false);
  });
});
