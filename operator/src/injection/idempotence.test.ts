import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { injectPod } from './inject-pod.ts';
import { INJECT } from './names.ts';
import type { Pod } from './pod.ts';
import { containerOf, envOf, patched } from './testing/apply.ts';
import { aPod, anApp, env, someNamespace, someSettings } from './testing/pods.ts';

const settings = someSettings();
const namespace = someNamespace();

const url = fc.constantFrom(
  ...['', 'https://api.openai.com/v1', 'https://gw.example/v1', 'https://other.example', 'http://vllm.ml.svc/v1'],
  ...['$(HOST)/v1', 'nonsense', 'http://127.0.0.1:4100/openai/v1', 'https://u:p@gw.example'],
);
const variable = fc.oneof(
  fc.record({
    name: fc.constantFrom(
      ...[
        'OPENAI_BASE_URL',
        'OPENAI_API_BASE',
        'ANTHROPIC_BASE_URL',
        'GOOGLE_GEMINI_BASE_URL',
        'AZURE_OPENAI_ENDPOINT',
      ],
      ...['HOST', 'HTTPS_PROXY', 'NO_PROXY', 'no_proxy', 'OPENAI_API_KEY', 'AZURE_OPENAI_API_KEY', 'OTHER'],
    ),
    value: url,
  }),
  fc.record({
    name: fc.constantFrom('OPENAI_BASE_URL', 'NO_PROXY', 'HTTPS_PROXY'),
    valueFrom: fc.constant({ configMapKeyRef: { name: 'c', key: 'k' } }),
  }),
);
const variables = fc.option(fc.array(variable, { maxLength: 6 }), { nil: null });
const named = (names: readonly string[]) =>
  fc.uniqueArray(fc.record({ name: fc.constantFrom(...names), env: variables }), { selector: ({ name }) => name });
const pods = fc
  .record({
    initContainers: fc.option(named(['migrate', 'seed', 'istio-proxy', 'linkerd-proxy']), { nil: null }),
    containers: named(['app', 'worker', 'nginx', 'kuma-sidecar']),
    volumes: fc.option(fc.constant([{ name: 'data', emptyDir: {} }]), { nil: null }),
    user: fc.option(fc.constantFrom(0, 1000), { nil: null }),
    annotations: fc.dictionary(
      fc.constantFrom('tollgate.dev/providers', 'tollgate.dev/containers', 'tollgate.dev/proxy-memory-limit', 'x'),
      fc.constantFrom('openai', 'app', '100Mi', 'bad value'),
    ),
  })
  .map(({ user, annotations, ...spec }) =>
    aPod(
      { ...spec, ...(user === null ? {} : { securityContext: { runAsUser: user } }) },
      { annotations: { ...annotations, [INJECT]: 'true' } },
    ),
  );

const inject = (pod: Pod): Pod => {
  const answer = injectPod(pod, namespace, settings);
  return 'patch' in answer ? patched(pod, answer.patch) : pod;
};

/** What an old webhook makes of the proxy: it knows no native sidecars, and writes back what it knows. */
const remarshalled = (pod: Pod): Pod =>
  aPodLike(pod, {
    initContainers: (pod.spec.initContainers ?? []).map(({ restartPolicy: _, startupProbe: __, ...known }) => known),
  });
const aPodLike = (pod: Pod, spec: object): Pod => aPod({ ...pod.spec, ...spec }, pod.metadata);

describe('injection', () => {
  it('is the same however often it is done: a pod that has had its patch gets none', () => {
    fc.assert(
      fc.property(pods, (pod) => {
        const once = inject(pod);
        const again = injectPod(once, namespace, settings);
        expect(again).toEqual('patch' in again ? { ...again, outcome: 'already', patch: [] } : again);
      }),
      { numRuns: 500 },
    );
  });

  it('says the same the second time as the first', () => {
    fc.assert(
      fc.property(pods, (pod) => {
        const first = injectPod(pod, namespace, settings);
        const second = injectPod(inject(pod), namespace, settings);
        if (!('warnings' in first) || !('warnings' in second)) return;
        expect(second.warnings).toEqual(first.warnings);
      }),
      { numRuns: 300 },
    );
  });

  it('comes to the same whatever another webhook does to it in between', () => {
    const vandal = fc.constantFrom<(pod: Pod) => Pod>(
      remarshalled,
      (pod) =>
        aPodLike(pod, {
          initContainers: (pod.spec.initContainers ?? []).filter(({ name }) => name !== 'tollgate-proxy'),
        }),
      (pod) => aPodLike(pod, { initContainers: (pod.spec.initContainers ?? []).map(({ env: _, ...rest }) => rest) }),
      (pod) => aPodLike(pod, { volumes: (pod.spec.volumes ?? []).filter(({ name }) => !name.startsWith('tollgate')) }),
      (pod) => aPodLike(pod, { initContainers: [...(pod.spec.initContainers ?? [])].reverse() }),
    );
    fc.assert(
      fc.property(pods, vandal, (pod, vandalise) => {
        // Init containers that lost their own variables are another pod.
        const plain = aPodLike(pod, {
          initContainers: (pod.spec.initContainers ?? []).slice(0, 1).map(({ env: _, ...rest }) => rest),
        });
        const once = inject(plain);
        if (once === plain) return;
        expect(containerOf(inject(vandalise(once)), 'tollgate-proxy')).toEqual(containerOf(once, 'tollgate-proxy'));
      }),
      { numRuns: 300 },
    );
  });

  it('never changes a variable that has nothing to do with it', () => {
    fc.assert(
      fc.property(pods, (pod) => {
        const after = inject(pod);
        for (const { name, env: before } of pod.spec.containers ?? []) {
          for (const entry of before ?? []) {
            if (!['HOST', 'OTHER', 'OPENAI_API_KEY', 'AZURE_OPENAI_API_KEY', 'HTTPS_PROXY'].includes(entry.name))
              continue;
            expect(containerOf(after, name).env).toContainEqual(entry);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a proxy that another webhook has changed', () => {
  const injected = inject(aPod());
  const changed = (changes: object): Pod =>
    aPodLike(injected, {
      initContainers: (injected.spec.initContainers ?? []).map((container) => ({ ...container, ...changes })),
    });
  const repair = (pod: Pod): Pod => {
    const answer = injectPod(pod, namespace, settings);
    if (answer.outcome !== 'repaired') throw new Error(answer.outcome);
    return patched(pod, answer.patch);
  };

  it.each<[string, object]>([
    ['its restart policy', { restartPolicy: null }],
    ['its variables', { env: [] }],
    ['one of its variables', { env: env({ TOLLGATE_SERVER_URL: 'http://collect.example' }) }],
    ['its command', { command: ['sh', '-c', 'cat /var/run/secrets/tollgate/token'] }],
    ['its arguments', { args: ['--inspect'] }],
    ['its life cycle', { lifecycle: { postStart: { exec: { command: ['sh'] } } } }],
    ['its probe, into a command', { startupProbe: { exec: { command: ['sh'] } } }],
    ['its mounts', { volumeMounts: [{ name: 'code', mountPath: '/app' }] }],
    ['its rights', { securityContext: { privileged: true, runAsUser: 0, capabilities: { add: ['NET_ADMIN'] } } }],
    ['its ports', { ports: [{ name: 'tollgate-proxy', containerPort: 4100, hostPort: 4100 }] }],
    [
      'the program it runs',
      {
        env: [...(containerOf(injected, 'tollgate-proxy').env ?? []), { name: 'NODE_OPTIONS', value: '--require=/x' }],
      },
    ],
    ['its version', { image: 'registry.test:5000/tollgate-proxy:old' }],
  ])('gets back %s', (_, changes) => {
    expect(containerOf(repair(changed(changes)), 'tollgate-proxy')).toEqual(containerOf(injected, 'tollgate-proxy'));
  });

  it.each<[string, object]>([
    [
      'a probe that a mesh leads through itself',
      { startupProbe: { httpGet: { path: '/app-health/tollgate-proxy/startupz', port: 15020 } } },
    ],
    [
      'a user that the platform assigns',
      { securityContext: { ...containerOf(injected, 'tollgate-proxy').securityContext, runAsUser: 1000650000 } },
    ],
    [
      'a limit that the namespace sets',
      { resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '256Mi', cpu: '1' } } },
    ],
    [
      'a variable that is added to all containers',
      { env: [...(containerOf(injected, 'tollgate-proxy').env ?? []), { name: 'DD_AGENT_HOST', value: 'x' }] },
    ],
  ])('keeps %s', (_, changes) => {
    expect(injectPod(changed(changes), namespace, settings)).toMatchObject({ outcome: 'already' });
  });

  it('keeps what it took over as upstream when its variables are gone, or it is', () => {
    const own = inject(aPod({ containers: [anApp({ env: env({ OPENAI_BASE_URL: 'https://gw.example/v1' }) })] }));
    for (const init of [[], [{ name: 'tollgate-proxy', image: settings.proxyImage }]]) {
      const after = inject(aPodLike(own, { initContainers: init }));
      expect(envOf(after, 'tollgate-proxy')['TOLLGATE_UPSTREAM_OPENAI']).toBe('https://gw.example/v1');
    }
  });

  it('gets the variables of applications back', () => {
    const stripped = aPodLike(injected, { containers: [anApp()] });
    expect(envOf(repair(stripped), 'app')).toEqual(envOf(injected, 'app'));
  });
});
