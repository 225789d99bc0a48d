import { describe, expect, it } from '@jest/globals';
import { injectPod } from './inject-pod.ts';
import { INJECT } from './names.ts';
import type { Pod } from './pod.ts';
import { envOf, patched } from './testing/apply.ts';
import { aPod, anApp, env, someNamespace, someSettings } from './testing/pods.ts';

const settings = someSettings();
const at = 'http://127.0.0.1:4100';
const ALL = {
  OPENAI_BASE_URL: `${at}/openai/v1`,
  OPENAI_API_BASE: `${at}/openai/v1`,
  ANTHROPIC_BASE_URL: `${at}/anthropic`,
  GOOGLE_GEMINI_BASE_URL: `${at}/gemini`,
};

/** After it, with what was said. Twice, since the second time must find the same. */
const inject = (pod: Pod, under = settings): { pod: Pod; warnings: string } => {
  const answer = injectPod(pod, someNamespace(), under);
  if (answer.outcome !== 'injected') throw new Error(JSON.stringify(answer));
  const after = patched(pod, answer.patch);
  expect(injectPod(after, someNamespace(), under)).toEqual({
    outcome: 'already',
    patch: [],
    warnings: answer.warnings,
  });
  return { pod: after, warnings: answer.warnings.join('\n') };
};
const withEnv = (...variables: readonly object[]): Pod => aPod({ containers: [anApp({ env: variables })] });
const upstreamsOf = (pod: Pod): object =>
  Object.fromEntries(Object.entries(envOf(pod, 'tollgate-proxy')).filter(([name]) => /UPSTREAM/.test(name)));

describe('the base URLs of an application', () => {
  it('lead to the proxy, in containers and in init containers after it', () => {
    const { pod } = inject(
      aPod({
        initContainers: [{ name: 'istio-init' }, { name: 'seed' }],
        containers: [anApp(), anApp({ name: 'worker' })],
      }),
    );
    expect(envOf(pod, 'app')).toEqual(ALL);
    expect(envOf(pod, 'worker')).toEqual(ALL);
    expect(envOf(pod, 'seed')).toEqual(ALL);
    expect(envOf(pod, 'istio-init')).toEqual({});
  });

  it('that the user has set become the upstreams of the proxy', () => {
    const { pod, warnings } = inject(
      withEnv(
        ...env({
          OPENAI_BASE_URL: 'https://gateway.example/openai/v1/',
          ANTHROPIC_BASE_URL: 'https://gateway.example/anthropic',
          GOOGLE_GEMINI_BASE_URL: 'https://gateway.example/gemini',
          AZURE_OPENAI_ENDPOINT: 'https://shop.openai.azure.com/',
        }),
      ),
    );
    expect(upstreamsOf(pod)).toEqual({
      TOLLGATE_UPSTREAM_OPENAI: 'https://gateway.example/openai/v1',
      TOLLGATE_UPSTREAM_ANTHROPIC: 'https://gateway.example/anthropic',
      TOLLGATE_UPSTREAM_GEMINI: 'https://gateway.example/gemini',
      TOLLGATE_UPSTREAM_AZURE: 'https://shop.openai.azure.com',
    });
    expect(envOf(pod, 'app')).toEqual({ ...ALL, AZURE_OPENAI_ENDPOINT: `${at}/azure` });
    expect(warnings).toContain('calls to openai go to https://gateway.example/openai/v1');
  });

  it('are replaced where they stand, so that variables below still refer to them', () => {
    const { pod } = inject(
      withEnv(...env({ OPENAI_BASE_URL: 'https://g.example/v1', MODELS: '$(OPENAI_BASE_URL)/models' })),
    );
    expect(Object.keys(envOf(pod, 'app')).slice(0, 2)).toEqual(['OPENAI_BASE_URL', 'MODELS']);
  });

  it.each([
    ['is the public address', 'https://api.openai.com/v1/'],
    ['is empty', ''],
    ['is blank', '  '],
    ['is the proxy already', 'http://localhost:4100/openai/v1'],
  ])('need no upstream where the one %s', (_, value) => {
    const { pod } = inject(withEnv(...env({ OPENAI_BASE_URL: value })));
    expect(upstreamsOf(pod)).toEqual({});
    expect(envOf(pod, 'app')['OPENAI_BASE_URL']).toBe(`${at}/openai/v1`);
  });

  it.each([
    ['from a ConfigMap', { valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }, /valueFrom/],
    ['of an unknown variable', { value: 'http://$(LLM_SERVICE_HOST)/v1' }, /refers to a variable/],
    ['that is no URL', { value: 'api.openai.com' }, /no http or https URL/],
    ['of another kind', { value: 'ftp://x.example/v1' }, /no http or https URL/],
    ['with a password', { value: 'https://me:secret@gw.example/v1' }, /carries a user or password/],
    ['with a query', { value: 'https://gw.example/v1?key=secret' }, /carries a query/],
    ['in clear to the outside', { value: 'http://gw.example/v1' }, /over http out of the cluster/],
  ])('stay as they are %s', (_, value, why) => {
    const { pod, warnings } = inject(withEnv({ name: 'OPENAI_BASE_URL', ...value }));
    expect(envOf(pod, 'app')['OPENAI_BASE_URL']).toBe('value' in value ? value.value : '(valueFrom)');
    expect(envOf(pod, 'app')).not.toHaveProperty('OPENAI_API_BASE');
    expect(envOf(pod, 'app')).toHaveProperty('ANTHROPIC_BASE_URL');
    expect(warnings).toMatch(why);
    expect(warnings).not.toContain('secret');
    expect(JSON.stringify(pod.metadata)).not.toContain('secret');
    expect(pod.metadata.annotations?.['tollgate.dev/status']).toContain('"skippedEnv":["app/OPENAI_BASE_URL"]');
  });

  it.each([
    ['a Service', 'http://vllm.models.svc:8000/v1'],
    ['a Service by one name', 'http://vllm:8000/v1'],
    ['a private address', 'http://10.0.0.7:8000/v1'],
    ['another container of the pod', 'http://localhost:8000/v1'],
  ])('may be %s in clear, which the proxy is then allowed to dial', (_, value) => {
    const { pod } = inject(withEnv(...env({ OPENAI_BASE_URL: value })));
    expect(envOf(pod, 'tollgate-proxy')).toMatchObject({
      TOLLGATE_UPSTREAM_OPENAI: value,
      TOLLGATE_ALLOW_PRIVATE_UPSTREAMS: 'true',
    });
  });

  it('are read with the variables above them', () => {
    const { pod } = inject(withEnv(...env({ HOST: 'gw.example', OPENAI_BASE_URL: 'https://$(HOST)/v1' })));
    expect(upstreamsOf(pod)).toEqual({ TOLLGATE_UPSTREAM_OPENAI: 'https://gw.example/v1' });
  });

  it('of two containers that differ cannot both be kept', () => {
    const { pod, warnings } = inject(
      aPod({
        containers: [
          anApp({ env: env({ OPENAI_BASE_URL: 'https://a.example/v1' }) }),
          anApp({ name: 'worker', env: env({ OPENAI_BASE_URL: 'https://b.example/v1' }) }),
          anApp({ name: 'public', env: env({ OPENAI_API_KEY: 'k' }) }),
          anApp({ name: 'nginx' }),
        ],
      }),
    );
    expect(upstreamsOf(pod)).toEqual({ TOLLGATE_UPSTREAM_OPENAI: 'https://a.example/v1' });
    expect(envOf(pod, 'worker')['OPENAI_BASE_URL']).toBe('https://b.example/v1');
    expect(envOf(pod, 'public')).not.toHaveProperty('OPENAI_BASE_URL');
    expect(envOf(pod, 'nginx')).toMatchObject(ALL);
    expect(warnings).toContain('OPENAI_BASE_URL of container worker stays as it is');
    expect(warnings).toContain('OPENAI_BASE_URL of container public stays as it is');
  });

  it("leave out OpenAI's where the container speaks to Azure alone, since its client takes it for Azure's", () => {
    const { pod } = inject(
      withEnv(...env({ AZURE_OPENAI_ENDPOINT: 'https://shop.openai.azure.com', AZURE_OPENAI_API_KEY: 'k' })),
    );
    expect(envOf(pod, 'app')).not.toHaveProperty('OPENAI_BASE_URL');
    expect(envOf(pod, 'app')).not.toHaveProperty('OPENAI_API_BASE');
    expect(envOf(pod, 'app')['AZURE_OPENAI_ENDPOINT']).toBe(`${at}/azure`);
  });

  it('may hide in envFrom, and that is said', () => {
    const pod = aPod({ containers: [anApp({ envFrom: [{ secretRef: { name: 'llm' } }] })] });
    expect(inject(pod).warnings).toMatch(/container app: base URLs that its envFrom holds are not seen/);
  });

  it('go where the installation says, unless the pod says it', () => {
    const under = someSettings({
      upstreams: { openai: 'http://mock.test:8080/v1', anthropic: 'http://mock.test:8080' },
    });
    const { pod } = inject(withEnv(...env({ OPENAI_BASE_URL: 'https://gw.example/v1' })), under);
    expect(upstreamsOf(pod)).toEqual({
      TOLLGATE_UPSTREAM_OPENAI: 'https://gw.example/v1',
      TOLLGATE_UPSTREAM_ANTHROPIC: 'http://mock.test:8080',
    });
  });
});

describe('a pod that goes out through a proxy of its network', () => {
  it('does not take it to 127.0.0.1, and Tollgate takes it for the calls', () => {
    const { pod } = inject(withEnv(...env({ HTTPS_PROXY: 'http://proxy.test:3128', NO_PROXY: '.cluster.local' })));
    const expected = {
      HTTPS_PROXY: 'http://proxy.test:3128',
      NO_PROXY: '.cluster.local,127.0.0.1,localhost',
      no_proxy: '.cluster.local,127.0.0.1,localhost',
    };
    expect(envOf(pod, 'app')).toMatchObject(expected);
    expect(envOf(pod, 'tollgate-proxy')).toMatchObject(expected);
  });

  it.each([
    [
      'both there already',
      { NO_PROXY: 'localhost, 127.0.0.1', no_proxy: 'localhost, 127.0.0.1' },
      { NO_PROXY: 'localhost, 127.0.0.1', no_proxy: 'localhost, 127.0.0.1' },
    ],
    ['everything excepted', { NO_PROXY: '*' }, { NO_PROXY: '*', no_proxy: '*' }],
    [
      'told apart',
      { NO_PROXY: 'a', no_proxy: 'b' },
      { NO_PROXY: 'a,127.0.0.1,localhost', no_proxy: 'b,127.0.0.1,localhost' },
    ],
    ['none', {}, { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' }],
  ])('has its exceptions extended: %s', (_, given, expected) => {
    const { pod } = inject(withEnv(...env({ https_proxy: 'http://p.test', ...given })));
    expect(envOf(pod, 'app')).toMatchObject(expected);
  });

  it('is told of exceptions that cannot be seen, and of a way out that cannot be carried over', () => {
    const { pod, warnings } = inject(
      withEnv(
        { name: 'HTTPS_PROXY', value: 'http://$(PROXY_HOST):3128' },
        { name: 'NO_PROXY', valueFrom: { configMapKeyRef: { name: 'net', key: 'no' } } },
      ),
    );
    expect(warnings).toMatch(/NO_PROXY of container app comes from valueFrom/);
    expect(warnings).toMatch(/HTTPS_PROXY refers to another variable/);
    expect(envOf(pod, 'app')).not.toHaveProperty('no_proxy');
    expect(envOf(pod, 'tollgate-proxy')).toHaveProperty('NO_PROXY', '(valueFrom)');
  });

  it('keeps its variables to itself where there is no such proxy', () => {
    const { pod } = inject(withEnv(...env({ NO_PROXY: 'x' })));
    expect(envOf(pod, 'app')['NO_PROXY']).toBe('x');
    expect(envOf(pod, 'tollgate-proxy')).not.toHaveProperty('NO_PROXY');
  });

  it('has its exceptions left alone with its base URLs', () => {
    const pod = aPod(
      { containers: [anApp({ env: env({ HTTPS_PROXY: 'http://p.test' }) })] },
      { annotations: { [INJECT]: 'true', 'tollgate.dev/rewrite-env': 'false' } },
    );
    expect(envOf(inject(pod).pod, 'app')).toEqual({ HTTPS_PROXY: 'http://p.test' });
  });
});
