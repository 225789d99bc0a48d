import { describe, expect, it } from '@jest/globals';
import { toInjectedPod } from '../../programming/injected-pod.ts';
import type { PodFinding } from '../../programming/server-views.ts';
import type { EventNote } from '../../kube/event-recorder.ts';
import { aCache, NOW } from '../testing/objects.ts';
import { useAuditor } from './use-auditor.ts';
import { useNotes } from './use-notes.ts';

const HOUR = 3_600_000;
const aFinding = (stated: Partial<PodFinding> = {}): PodFinding => ({
  namespace: 'team-a',
  name: 'p',
  isSilent: false,
  direct: [],
  ...stated,
});
const OPENAI = { host: 'api.openai.com', count: 2 };

describe('what is said of a pod that carries the proxy', () => {
  it.each([
    ['that calls past it', aFinding({ direct: [OPENAI] }), 0, ['Warning DirectProviderConnection api.openai.com']],
    ['that never called, and is young', aFinding({ isSilent: true }), HOUR - 1, []],
    ['that never called', aFinding({ isSilent: true }), HOUR, ['Normal ProxyUnused ']],
    ['that never called, of an age that nobody knows', aFinding({ isSilent: true }), null, []],
    [
      'that only calls past it',
      aFinding({ isSilent: true, direct: [OPENAI, { host: 'llm.shop', count: 1 }] }),
      HOUR,
      [
        'Warning DirectProviderConnection api.openai.com',
        'Warning DirectProviderConnection llm.shop',
        'Normal ProxyUnused ',
      ],
    ],
  ])('%s', (_which, finding, ageMs, said) => {
    const notes = useNotes(finding, { ageMs, unusedAfterMs: HOUR });
    expect(notes.map(({ type, reason, about }) => `${type} ${reason} ${about}`)).toEqual(said);
  });

  it('counts in words, and says what to do', () => {
    const [first, second] = [OPENAI, { host: 'llm.shop', count: 1 }].map(
      (direct) => useNotes(aFinding({ direct: [direct] }), { ageMs: null, unusedAfterMs: HOUR })[0]?.note,
    );
    expect(first).toMatch(/^A container of the pod has 2 connections to api\.openai\.com past the proxy: .*base URL/);
    expect(second).toMatch(/has a connection to llm\.shop past/);
    const unused = (ageMs: number): string | undefined =>
      useNotes(aFinding({ isSilent: true }), { ageMs, unusedAfterMs: 1 })[0]?.note;
    const ages = [HOUR / 60, HOUR, 3 * HOUR, 100 * HOUR];
    expect(ages.map((ageMs) => /^In ([^.]*?) no call/.exec(unused(ageMs) ?? '')?.[1])).toEqual([
      '1 minute',
      '60 minutes',
      '3 hours',
      '4 days',
    ]);
  });
});

describe('the auditor of use', () => {
  const setUp = () => {
    const found = new Map<string, PodFinding>();
    const recorded: EventNote[] = [];
    const changed: string[] = [];
    const aPod = (uid: string) =>
      toInjectedPod({
        metadata: { name: 'p', namespace: 'team-a', uid, creationTimestamp: new Date(NOW - 2 * HOUR).toISOString() },
      });
    const injected = aCache([aPod('first')]);
    const reconcile = useAuditor({
      injected,
      findings: { of: (key) => found.get(key) ?? null },
      unusedAfterMs: HOUR,
      events: { record: (event) => void recorded.push(event), stop: () => Promise.resolve() },
      now: () => NOW,
      onChange: (namespace) => void changed.push(namespace),
    });
    const audit = () => reconcile('team-a/p', new AbortController().signal);
    return { found, recorded, changed, injected, aPod, audit };
  };

  it('says each thing once a pod, and has budgets looked at when calls past the proxy begin and end', async () => {
    const { found, recorded, changed, audit } = setUp();
    await audit();
    found.set('team-a/p', aFinding({ direct: [OPENAI] }));
    await audit();
    await audit();
    expect([recorded.map(({ reason }) => reason), changed]).toEqual([['DirectProviderConnection'], ['team-a']]);
    expect(recorded[0]?.regarding).toMatchObject({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } });
    found.delete('team-a/p');
    await audit();
    expect(changed).toHaveLength(2);
    found.set('team-a/p', aFinding({ direct: [OPENAI, { host: 'llm.shop', count: 1 }], isSilent: true }));
    await audit();
    expect(recorded.slice(1).map(({ reason }) => reason)).toEqual(['DirectProviderConnection', 'ProxyUnused']);
    expect(recorded[1]?.note).toContain('llm.shop');
    expect(changed).toHaveLength(3);
  });

  it('begins anew with another pod of the name, and forgets one that is gone', async () => {
    const { found, recorded, changed, injected, aPod, audit } = setUp();
    found.set('team-a/p', aFinding({ direct: [OPENAI] }));
    await audit();
    injected.set(aPod('second'));
    await audit();
    expect(recorded).toHaveLength(2);
    injected.delete({ namespace: 'team-a', name: 'p' });
    await audit();
    expect(changed).toEqual(['team-a', 'team-a']);
    expect(recorded).toHaveLength(2);
  });
});
