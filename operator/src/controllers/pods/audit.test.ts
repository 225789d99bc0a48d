import { describe, expect, it } from '@jest/globals';
import type { TokenBudget } from '@tollgate/api';
import { admitManifest } from '../../programming/admitted-manifest.ts';
import { toInjectedPod, type InjectedPod } from '../../programming/injected-pod.ts';
import type { EventNote } from '../../kube/event-recorder.ts';
import { aBudgetObject, aCache } from '../testing/objects.ts';
import { podAuditor } from './auditor.ts';
import { findingOf, lacksProxy, type AuditContext } from './audit.ts';
import { makeBypassCounts } from './bypass-counts.ts';
import { toWatchedPod, type WatchedPod } from './watched-pod.ts';

const CONTEXT: AuditContext = {
  systemNamespace: 'tollgate-system',
  excludedNamespaces: ['kube-system'],
  proxyRepositories: ['registry/tollgate-proxy'],
  configHash: 'new',
  version: '2',
};

const aPod = (
  inject: string | null,
  stated: { name?: string; namespace?: string; labels?: object; uid?: string } = {},
): WatchedPod =>
  toWatchedPod({
    metadata: {
      name: stated.name ?? 'p',
      namespace: stated.namespace ?? 'team-a',
      uid: stated.uid ?? 'u',
      annotations: inject === null ? {} : { 'tollgate.dev/inject': inject },
      labels: { ...stated.labels },
    },
  });

const namespace = (name: string, injection?: string) => ({
  metadata: { name, labels: injection === undefined ? {} : { 'tollgate.dev/injection': injection } },
});

describe('a pod without the proxy', () => {
  it.each([
    [null, null, false],
    ['true', null, true],
    ['yes', null, false],
    ['false', 'enabled', false],
    [null, 'enabled', true],
    ['true', 'disabled', false],
    ['false', 'required', true],
  ] as const)('that says %s in a namespace that is %s: lacks it %s', (inject, mode, lacks) => {
    expect(lacksProxy(aPod(inject), mode, CONTEXT)).toBe(lacks);
  });

  it.each([['tollgate-system'], ['kube-system']])('is left alone in %s', (name) => {
    expect(lacksProxy(aPod('true', { namespace: name }), null, CONTEXT)).toBe(false);
  });

  it('is told of by one event, and its budgets are looked at again when it comes and goes', async () => {
    const watched = aCache([aPod('true')]);
    const namespaces = aCache([namespace('team-a')]);
    const recorded: EventNote[] = [];
    const changed: string[] = [];
    const injected = aCache<InjectedPod>();
    const audit = podAuditor({
      watched,
      injected,
      namespaces,
      audit: CONTEXT,
      events: { record: (event) => void recorded.push(event), stop: () => Promise.resolve() },
      onChange: (name) => void changed.push(name),
    });
    const { signal } = new AbortController();
    await audit('team-a/p', signal);
    await audit('team-a/p', signal);
    expect(recorded).toMatchObject([
      {
        type: 'Warning',
        reason: 'ProxyMissing',
        regarding: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } },
      },
    ]);
    watched.delete({ namespace: 'team-a', name: 'p' });
    await audit('team-a/p', signal);
    expect(changed).toEqual(['team-a', 'team-a']);
    watched.set(aPod('true', { uid: 'another' }));
    await audit('team-a/p', signal);
    expect(recorded).toHaveLength(2);
    injected.set(toInjectedPod({ metadata: { name: 'marked', namespace: 'team-a', uid: 'm' } }));
    await audit('team-a/marked', signal);
    expect(recorded[2]?.note).toMatch(/^The pod carries the mark of the injector, and there is none in the pod/);
  });
});

describe('a pod with the proxy', () => {
  const injected = (image: string, status: object) =>
    toInjectedPod({
      metadata: { name: 'p', namespace: 'n', annotations: { 'tollgate.dev/status': JSON.stringify(status) } },
      spec: { initContainers: [{ name: 'tollgate-proxy', image, restartPolicy: 'Always' }] },
    });

  it.each([
    ['registry/tollgate-proxy:2', { version: '2', configHash: 'new' }, 'well'],
    ['registry/tollgate-proxy:1', { version: '1', configHash: 'new' }, 'outdated'],
    ['registry/tollgate-proxy:2', { version: '2', configHash: 'old' }, 'outdated'],
    ['evil/tollgate-proxy:2', { version: '2', configHash: 'new' }, 'forged'],
  ] as const)('of image %s that says %j is %s', (image, status, finding) => {
    expect(findingOf(injected(image, status), CONTEXT)).toBe(finding);
  });

  it('is not outdated where nobody knows what is new', () => {
    const pod = injected('any/tollgate-proxy', {});
    expect(findingOf(pod, { ...CONTEXT, proxyRepositories: null, configHash: null, version: null })).toBe('well');
  });
});

describe('the pods that bypass a budget', () => {
  const budget = (spec: object, namespaceOf = 'team-a'): TokenBudget => {
    const limits = [{ name: 'daily', cost: { max: '1' }, period: 'Day' }];
    const object = aBudgetObject({ namespace: namespaceOf, spec: { ...spec, limits } });
    const admission = admitManifest('TokenBudget', object, 'tollgate-system');
    if (!admission.accepted || admission.resource.kind !== 'TokenBudget') throw new Error('no budget');
    return admission.resource;
  };
  const watched = aCache([
    aPod('true', { name: 'a', labels: { app: 'chat' } }),
    aPod('true', { name: 'b', labels: { app: 'other' } }),
    aPod(null, { name: 'quiet' }),
    aPod('true', { name: 'c', namespace: 'team-b' }),
  ]);
  const namespaces = aCache([namespace('team-a'), namespace('team-b')]);
  const injected = aCache<InjectedPod>();
  const facts = { watched, injected, namespaces, audit: CONTEXT, teamLabel: null };
  const counts = makeBypassCounts({ ...facts, callsDirectly: () => false });

  it.each([
    ['all of its namespace', {}, 'team-a', 2],
    ['those that its selector finds', { selector: { matchLabels: { app: 'chat' } } }, 'team-a', 1],
    ['those of all namespaces that a budget of the platform reaches', { namespaceSelector: {} }, 'tollgate-system', 3],
    ['none elsewhere', {}, 'team-c', 0],
  ])('are %s', (_title, spec, place, count) => {
    expect(counts.of(budget(spec, place))).toEqual({ lacking: count, direct: 0 });
  });

  it('are counted anew when pods or namespaces change', () => {
    const own = makeBypassCounts({ ...facts, callsDirectly: () => false });
    const lacking = (): number => own.of(budget({})).lacking;
    expect(lacking()).toBe(2);
    namespaces.set(namespace('team-a', 'enabled'));
    expect(lacking()).toBe(3);
    watched.delete({ namespace: 'team-a', name: 'a' });
    expect(lacking()).toBe(2);
    injected.set(toInjectedPod({ metadata: { name: 'marked', namespace: 'team-a', uid: 'm' } }));
    expect(lacking()).toBe(3);
  });

  it('are also those that have the proxy and call past it, from when that is known', () => {
    const proxy = { name: 'tollgate-proxy', image: 'registry/tollgate-proxy:2', restartPolicy: 'Always' };
    const carrying = aCache(
      ['one', 'two'].map((name) =>
        toInjectedPod({ metadata: { name, namespace: 'team-d', uid: name }, spec: { initContainers: [proxy] } }),
      ),
    );
    const direct = new Set<string>();
    const own = makeBypassCounts({
      ...facts,
      injected: carrying,
      namespaces: aCache([namespace('team-d')]),
      callsDirectly: (key) => direct.has(key),
    });
    expect(own.of(budget({}, 'team-d'))).toEqual({ lacking: 0, direct: 0 });
    direct.add('team-d/two');
    own.forget('team-d');
    expect(own.of(budget({}, 'team-d'))).toEqual({ lacking: 0, direct: 1 });
    expect(own.of(budget({ namespaceSelector: {} }, 'tollgate-system'))).toEqual({ lacking: 0, direct: 1 });
    expect(own.lacking()).toEqual([]);
  });
});
