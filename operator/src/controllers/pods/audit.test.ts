import { describe, expect, it, jest } from '@jest/globals';
import type { TokenBudget } from '@tollgate/api';
import { admitManifest } from '../../programming/admitted-manifest.ts';
import { toInjectedPod, type InjectedPod } from '../../programming/injected-pod.ts';
import type { EventNote } from '../../kube/event-recorder.ts';
import { aBudgetObject, aCache } from '../testing/objects.ts';
import { podAuditor } from './auditor.ts';
import { findingOf, lacksProxy, type AuditContext } from './audit.ts';
import type { KubeList, ListQuery } from '../../kube/kube-api.ts';
import type { KubeKind, KubeObject } from '../../kube/kube-object.ts';
import { someSettings } from '../../injection/testing/pods.ts';
import type { Prospect } from './missing-notes.ts';
import { makeProspects, type AskProspect } from './prospects.ts';
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
      events: { record: (event) => void recorded.push(event) },
      prospectOf: () => Promise.resolve(null),
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

describe('what is said of a pod without the proxy', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'o', controller: true };
  const notesOn = async (pod: WatchedPod, prospectOf: AskProspect, mode?: string): Promise<readonly EventNote[]> => {
    const recorded: EventNote[] = [];
    const audit = podAuditor({
      watched: aCache([pod]),
      injected: aCache<InjectedPod>(),
      namespaces: aCache([namespace('team-a', mode)]),
      audit: CONTEXT,
      events: { record: (event) => void recorded.push(event) },
      prospectOf,
      onChange: () => undefined,
    });
    const { signal } = new AbortController();
    await audit('team-a/p', signal);
    await audit('team-a/p', signal);
    return recorded;
  };
  const owned = (name = 'p', revision = 'r1'): WatchedPod => {
    const { metadata, ...rest } = aPod('true', { name, uid: name, labels: { 'controller-revision-hash': revision } });
    return { ...rest, metadata: { ...metadata, ownerReferences: [owner] } };
  };
  const skipped: Prospect = { outcome: 'skipped', reason: 'HostNetwork', message: 'it is not alone', warnings: [] };
  const refused: Prospect = { outcome: 'refused', reason: 'InjectionRequired', message: 'it must' };

  it.each<readonly [string, WatchedPod, Prospect, RegExp]>([
    ['that its workload makes it again', owned(), null, /injector was away; delete it, or restart its workload\.$/],
    ['that nobody makes it again', aPod('true'), null, /injector was away; delete it and make it again\.$/],
    [
      'what keeps the proxy out of it',
      owned(),
      skipped,
      /holds them\. It cannot carry one: it is not alone \(HostNetwork\)\.$/,
    ],
    [
      'that it would not be made at all',
      owned(),
      refused,
      /Made again it would be refused: it must \(InjectionRequired\)\.$/,
    ],
    ['what may be where nobody knows', owned(), 'unknown', /or cannot carry one: delete it, .* an event says why\.$/],
  ])('is %s', async (_what, pod, prospect, expected) => {
    expect(await notesOn(pod, () => Promise.resolve(prospect))).toEqual([
      expect.objectContaining({ reason: 'ProxyMissing', note: expect.stringMatching(expected) }),
    ]);
  });

  it('waits until somebody can tell', async () => {
    const events: EventNote[] = [];
    const audit = podAuditor({
      watched: aCache([owned()]),
      injected: aCache<InjectedPod>(),
      namespaces: aCache([namespace('team-a')]),
      audit: CONTEXT,
      events: { record: (event) => void events.push(event) },
      prospectOf: jest
        .fn<AskProspect>()
        .mockRejectedValueOnce(new Error('the API server is away'))
        .mockResolvedValue(null),
      onChange: () => undefined,
    });
    const { signal } = new AbortController();
    await expect(audit('team-a/p', signal)).rejects.toThrow('is away');
    await audit('team-a/p', signal);
    expect(events).toHaveLength(1);
  });

  it('is what it says itself where that is neither yes nor no', async () => {
    const note = 'tollgate.dev/inject must be "true" or "false", not "TRUE": as it is, it asks for nothing';
    const untold = (): Promise<Prospect> => Promise.reject(new Error('nobody asks'));
    expect(await notesOn(aPod('TRUE'), untold)).toEqual([
      expect.objectContaining({
        type: 'Warning',
        reason: 'InvalidInjectValue',
        note: expect.stringContaining(note),
      }),
    ]);
    expect(await notesOn(aPod('TRUE'), untold, 'disabled')).toEqual([]);
    expect(await notesOn(aPod('TRUE', { labels: { 'tollgate.dev/inject': 'false' } }), untold)).toEqual([]);
  });

  it('is asked for once for all pods of a template', async () => {
    const asked: unknown[] = [];
    const spec = { hostNetwork: true, containers: [{ name: 'app', image: 'app' }] };
    const api = {
      list: <T extends KubeObject>(_kind: KubeKind, query: ListQuery): Promise<KubeList<T>> => {
        asked.push(query);
        const annotations = { 'tollgate.dev/inject': 'true' };
        const items = [{ metadata: { name: 'p', namespace: 'team-a', annotations }, spec }] as unknown as readonly T[];
        return Promise.resolve({ items, resourceVersion: '1', continue: null });
      },
    };
    const { signal } = new AbortController();
    const ask = makeProspects({ api, settings: someSettings() });
    for (const pod of [owned('a'), owned('b'), owned('c', 'r2'), aPod('true', { name: 'd' })]) {
      expect(await ask(pod, null, signal)).toMatchObject({ outcome: 'skipped', reason: 'HostNetwork' });
    }
    expect(asked).toEqual(
      ['a', 'c', 'd'].map((name) => ({ namespace: 'team-a', fieldSelector: `metadata.name=${name}` })),
    );
    expect(await ask(owned('a'), 'required', signal)).toMatchObject({ outcome: 'refused' });
    expect(await makeProspects({ api, settings: null })(owned('a'), null, signal)).toBe('unknown');
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
