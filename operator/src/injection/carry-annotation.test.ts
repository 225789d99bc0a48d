import { describe, expect, it } from '@jest/globals';
import { carryAnnotation, type Carrying } from './carry-annotation.ts';
import { INJECT } from './names.ts';
import { applied } from './testing/apply.ts';
import { parseWorkload, type WorkloadKind } from './workload-object.ts';

type Fields = Readonly<Record<string, unknown>>;

const workload = (
  kind: WorkloadKind,
  { own, template, spec = {}, status = {} }: { own?: object; template?: object | null; spec?: Fields; status?: Fields },
): object => {
  const pods = { metadata: template === null ? {} : { labels: { app: 'web' }, annotations: template }, spec: {} };
  return {
    kind,
    metadata: { name: 'web', ...(own === undefined ? {} : { annotations: own }) },
    spec: kind === 'CronJob' ? { jobTemplate: { spec: { template: pods } } } : { template: pods, ...spec },
    status,
  };
};
const carry = (kind: WorkloadKind, object: object, old: object | null): { answer: Carrying; after: object } => {
  const parsed = parseWorkload(kind, object);
  if (parsed === null) throw new Error('no workload');
  const answer = carryAnnotation(parsed, old === null ? null : parseWorkload(kind, old));
  return { answer, after: answer.outcome === 'refused' ? object : applied(object, answer.patch) };
};
const warningsOf = (answer: Carrying): string => (answer.outcome === 'refused' ? '' : answer.warnings.join());
const on = { [INJECT]: 'true' };
const templateOf = (kind: WorkloadKind, object: object): unknown =>
  parseWorkload(kind, object)?.templateMetadata?.annotations ?? {};

describe('an annotation on a workload', () => {
  it.each<WorkloadKind>(['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job'])(
    'is carried to the pod template of a %s that is made with it',
    (kind) => {
      const { answer, after } = carry(kind, workload(kind, { own: on }), null);
      expect(answer).toMatchObject({ outcome: 'carried', warnings: [] });
      expect(templateOf(kind, after)).toEqual(on);
    },
  );

  it.each<WorkloadKind>(['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob'])(
    'is carried to the pod template of a %s when it is put on, and off again with it',
    (kind) => {
      const plain = workload(kind, {});
      const put = carry(kind, workload(kind, { own: on }), plain);
      expect(templateOf(kind, put.after)).toEqual(on);
      const taken = carry(kind, workload(kind, { template: on }), put.after);
      expect(taken.answer.outcome).toBe('removed');
      expect(templateOf(kind, taken.after)).toEqual({});
    },
  );

  it('changes with it, and takes its settings along', () => {
    const old = workload('Deployment', { own: on, template: on });
    const own = { [INJECT]: 'false', 'tollgate.dev/log-level': 'debug', 'example.com/other': 'x' };
    const { answer, after } = carry('Deployment', workload('Deployment', { own, template: on }), old);
    expect(templateOf('Deployment', after)).toEqual({ [INJECT]: 'false', 'tollgate.dev/log-level': 'debug' });
    expect(warningsOf(answer)).toContain('tollgate.dev/inject and 1 more are carried to the pod template');
  });

  it('leaves the other annotations of the template', () => {
    const template = { 'example.com/a': '1' };
    const { after } = carry(
      'Deployment',
      workload('Deployment', { own: on, template }),
      workload('Deployment', { template }),
    );
    expect(templateOf('Deployment', after)).toEqual({ ...template, ...on });
  });

  it('finds a template without annotations, or without metadata', () => {
    const bare = { metadata: { name: 'web', annotations: on }, spec: { template: { spec: {} } } };
    expect(templateOf('Deployment', carry('Deployment', bare, null).after)).toEqual(on);
    expect(
      templateOf('Deployment', carry('Deployment', workload('Deployment', { own: on, template: null }), null).after),
    ).toEqual(on);
  });

  it('yields to what the template says by itself', () => {
    const object = workload('Deployment', { own: on, template: { [INJECT]: 'false' } });
    for (const old of [null, workload('Deployment', { template: { [INJECT]: 'false' } })]) {
      const { answer, after } = carry('Deployment', object, old);
      expect(answer).toMatchObject({
        outcome: 'unchanged',
        patch: [],
        warnings: [expect.stringMatching(/the pod template says "false"/)],
      });
      expect(after).toEqual(object);
    }
  });

  it('leaves an annotation that only the template has', () => {
    const object = workload('Deployment', { template: on });
    expect(carry('Deployment', object, object).answer).toMatchObject({ outcome: 'unchanged', patch: [], warnings: [] });
  });

  it('does nothing to a workload that says nothing of us', () => {
    const object = workload('StatefulSet', { own: { 'example.com/a': '1' } });
    expect(carry('StatefulSet', object, object).answer).toMatchObject({
      outcome: 'unchanged',
      patch: [],
      warnings: [],
    });
  });

  it('is put back quietly where a client sends the template as it wrote it', () => {
    const live = workload('Deployment', { own: on, template: on, spec: { replicas: 3 } });
    const { answer, after } = carry('Deployment', workload('Deployment', { own: on, spec: { replicas: 3 } }), live);
    expect(answer).toMatchObject({ outcome: 'carried', warnings: [] });
    expect(templateOf('Deployment', after)).toEqual(on);
  });

  it('comes too late for a Job that is made', () => {
    const { answer } = carry('Job', workload('Job', { own: on }), workload('Job', {}));
    expect(answer).toMatchObject({
      outcome: 'unchanged',
      patch: [],
      warnings: [expect.stringMatching(/make it again/)],
    });
  });
});

describe('a word that is neither "true" nor "false"', () => {
  const word = (value: string): object => ({ [INJECT]: value });
  const injected = workload('Deployment', { own: on, template: on });

  it.each(['TRUE', 'yes', '1', ''])('is refused where a workload is annotated with it: %j', (value) => {
    const expected = {
      outcome: 'refused',
      reason: 'InvalidInjectValue',
      message: `tollgate.dev/inject must be "true" or "false", not "${value}"`,
    };
    expect(carry('Deployment', workload('Deployment', { own: word(value) }), null).answer).toEqual(expected);
    // It would take the proxy off, and the user means the opposite.
    expect(carry('Deployment', workload('Deployment', { own: word(value), template: on }), injected).answer).toEqual(
      expected,
    );
  });

  it('holds up no update of something else, and rolls nothing', () => {
    const live = workload('Deployment', { own: word('yes') });
    const scaled = workload('Deployment', { own: word('yes'), spec: { replicas: 5 } });
    expect(carry('Deployment', scaled, live).answer).toMatchObject({
      outcome: 'unchanged',
      patch: [],
      warnings: ['tollgate.dev/inject must be "true" or "false", not "yes"; it has no effect as it is'],
    });
    const carried = workload('Deployment', { own: word('yes'), template: word('yes') });
    const { after } = carry('Deployment', scaled, carried);
    expect(templateOf('Deployment', after)).toEqual(word('yes'));
  });

  it('never takes the proxy off, though nobody was there to refuse it', () => {
    const slipped = workload('Deployment', { own: word('TRUE'), template: on });
    expect(templateOf('Deployment', carry('Deployment', slipped, slipped).after)).toEqual(on);
  });

  it('holds up no controller', () => {
    const made = workload('Job', { own: word('yes') });
    const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'c', uid: 'u', controller: true }];
    const owned = { ...made, metadata: { name: 'web', annotations: word('yes'), ownerReferences } };
    expect(carry('Job', owned, null).answer).toMatchObject({ outcome: 'unchanged', patch: [] });
  });

  it('is put right by the next that counts', () => {
    const slipped = workload('Deployment', { own: word('yes') });
    expect(templateOf('Deployment', carry('Deployment', workload('Deployment', { own: on }), slipped).after)).toEqual(
      on,
    );
  });
});

describe('what carrying it sets in motion', () => {
  it.each<[string, WorkloadKind, { spec?: Fields; status?: Fields }, RegExp]>([
    ['all pods of a Deployment', 'Deployment', { spec: { replicas: 3 } }, /Deployment web: 3 pods are replaced now/],
    ['the one that there is unless it is said', 'Deployment', {}, /1 pod is replaced now/],
    ['none where there is none', 'StatefulSet', { spec: { replicas: 0 } }, /0 pods are replaced now/],
    ['one a node', 'DaemonSet', { status: { desiredNumberScheduled: 7 } }, /7 pods are replaced now/],
    ['nothing yet where it is paused', 'Deployment', { spec: { paused: true } }, /when the Deployment is resumed/],
    [
      'nothing by itself where pods are deleted by hand',
      'DaemonSet',
      { spec: { updateStrategy: { type: 'OnDelete' } } },
      /as each is deleted/,
    ],
    ['pods to come of a CronJob', 'CronJob', {}, /pods made from now on/],
  ])('is told: %s', (_, kind, parts, expected) => {
    const { answer } = carry(kind, workload(kind, { own: on, ...parts }), workload(kind, parts));
    expect(warningsOf(answer)).toMatch(expected);
  });
});

describe('what is no workload', () => {
  it.each<[string, string, unknown]>([
    ['another kind', 'ReplicaSet', workload('Deployment', { own: on })],
    ['nothing', 'Deployment', null],
    ['no template', 'Deployment', { metadata: { name: 'x' }, spec: {} }],
    ['a template that is a text', 'Deployment', { metadata: { name: 'x' }, spec: { template: 'x' } }],
    ['annotations that are numbers', 'Deployment', { metadata: { annotations: { a: 1 } }, spec: { template: {} } }],
  ])('is not read: %s', (_, kind, object) => {
    expect(parseWorkload(kind, object)).toBeNull();
  });
});
