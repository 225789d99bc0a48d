import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { monotonicClock, silentLogger } from '@tollgate/runtime';
import { INJECT } from '../injection/names.ts';
import { applied } from '../injection/testing/apply.ts';
import { aPod, anApp, someSettings } from '../injection/testing/pods.ts';
import { startAdmissionServer, type AdmissionServer } from './admission-server.ts';
import { makeCertificateMaker } from './certificates/certificate-maker.ts';

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly connection: string | undefined;
}

interface Response {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

describe('the admission server', () => {
  let server: AdmissionServer;
  let ca = '';
  const decided: string[] = [];
  const told: string[] = [];
  let failures = 0;
  let settings = () => someSettings();

  beforeAll(async () => {
    const maker = makeCertificateMaker({ clock: Date.now, authorityDays: 2, leafDays: 1 });
    const authority = await maker.makeAuthority();
    ca = authority.cert;
    server = await startAdmissionServer({
      listen: { host: '127.0.0.1', port: 0 },
      log: silentLogger(),
      clock: monotonicClock,
      settings: () => settings(),
      routeKeys: () => [],
      kubernetesMinor: () => 34,
      observe: {
        decided: (outcome, reason) => decided.push(`${outcome} ${reason}`.trim()),
        skipped: (pod, namespace, reason) => told.push(`${namespace}/${pod.metadata.generateName ?? ''} ${reason}`),
        answered: () => undefined,
        failed: () => (failures += 1),
      },
    });
    server.serve(await maker.makeLeaf(authority, ['127.0.0.1']));
  });
  afterAll(() => server.close());

  const send = (
    path: string,
    body: string,
    { method = 'POST', type = 'application/json', agent = new Agent() } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: server.address.port, path, method, ca, agent };
      const request = httpsRequest({ ...options, headers: { 'content-type': type } }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({ code: response.statusCode ?? 0, text, connection: response.headers.connection }),
        );
      });
      request.on('error', reject);
      request.end(body);
    });
  const review = (object: unknown, request: object = {}): string =>
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: '705ab4f5',
        kind: { group: '', version: 'v1', kind: 'Pod' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        operation: 'CREATE',
        namespace: 'shop',
        object,
        oldObject: null,
        options: {},
        ...request,
      },
    });
  const ask = async (path: string, body: string): Promise<Response> => {
    const { code, text } = await send(path, body);
    expect(code).toBe(200);
    const { response } = JSON.parse(text) as { response: Response };
    expect(response.uid).toBe('705ab4f5');
    return response;
  };
  const patchOf = ({ patch = '' }: Response) => JSON.parse(Buffer.from(patch, 'base64').toString()) as [];

  it('answers a pod with a patch, its warnings, and what was decided', async () => {
    const pod = aPod({}, { annotations: { [INJECT]: 'true', 'tollgate.dev/log-level': 'loud' } });
    const response = await ask('/pods/annotated?timeout=5s', review(pod));
    expect(response).toMatchObject({
      allowed: true,
      patchType: 'JSONPatch',
      warnings: [expect.stringMatching(/^tollgate: tollgate.dev\/log-level: must be one of/)],
      auditAnnotations: { outcome: 'injected' },
    });
    expect(applied(pod, patchOf(response)).spec.initContainers?.[0]?.name).toBe('tollgate-proxy');
    expect(decided.at(-1)).toBe('injected');
  });

  it.each([
    ['/pods/annotated', 'skipped NotOptedIn'],
    ['/pods/enabled', 'injected'],
    ['/pods/required', 'injected'],
    ['/pods/disabled', 'skipped NamespaceDisabled'],
  ])('takes the label of the namespace from the path: %s', async (path, expected) => {
    expect((await ask(path, review(aPod({}, { annotations: {} })))).allowed).toBe(true);
    expect(decided.at(-1)).toBe(expected);
  });

  it('refuses with a reason and with what to do', async () => {
    const response = await ask('/pods/annotated', review(aPod({ containers: [anApp(), { name: 'tollgate-proxy' }] })));
    expect(response).toMatchObject({
      allowed: false,
      status: {
        code: 403,
        message: expect.stringMatching(/^tollgate \(ForgedProxy\): container tollgate-proxy is among/),
      },
      auditAnnotations: { outcome: 'refused', reason: 'ForgedProxy' },
    });
  });

  it('tells of a pod that asked and was skipped, but for a dry run, and not of one that did not ask', async () => {
    const pod = aPod({ hostNetwork: true });
    const before = told.length;
    expect((await ask('/pods/annotated', review(pod))).warnings).toEqual([
      expect.stringContaining('no proxy is injected'),
    ]);
    expect(told.slice(before)).toEqual(['shop/web-5d9f7c- HostNetwork']);
    await ask('/pods/annotated', review(pod, { dryRun: true }));
    await ask('/pods/annotated', review(aPod({}, { annotations: {} })));
    expect(told).toHaveLength(before + 1);
  });

  const deployment = (annotations: object, spec: object = {}): object => ({
    metadata: { name: 'web', annotations },
    spec: { replicas: 2, template: { metadata: { labels: {} }, spec: { containers: [{ name: 'app' }], ...spec } } },
  });
  const annotated = (annotations: object, spec: object = {}): ReturnType<typeof ask> => {
    const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
    const oldObject = deployment({}, spec);
    return ask('/workloads', review(deployment(annotations, spec), { kind, operation: 'UPDATE', oldObject }));
  };

  it('carries the annotation of a workload', async () => {
    const response = await annotated({ [INJECT]: 'true' });
    expect(response.warnings).toEqual([
      'tollgate: tollgate.dev/inject is carried to the pod template of Deployment web: 2 pods are replaced now',
    ]);
    expect(patchOf(response)).toEqual([
      { op: 'add', path: '/spec/template/metadata/annotations', value: { [INJECT]: 'true' } },
    ]);
  });

  it('says to whoever annotates a workload why its pods cannot carry the proxy, first of all', async () => {
    const { allowed, warnings } = await annotated({ [INJECT]: 'true' }, { hostNetwork: true });
    expect(allowed).toBe(true);
    expect(warnings).toEqual([
      "tollgate: its pods cannot carry the proxy and run unmetered: the pod is on its node's network, where its proxy would serve every process of the node",
      'tollgate: tollgate.dev/inject is carried to the pod template of Deployment web: 2 pods are replaced now',
    ]);
  });

  it('refuses an annotation of a workload that is neither a yes nor a no', async () => {
    expect(await annotated({ [INJECT]: 'TRUE' })).toMatchObject({
      allowed: false,
      status: { message: 'tollgate (InvalidInjectValue): tollgate.dev/inject must be "true" or "false", not "TRUE"' },
    });
    expect(decided.at(-1)).toBe('refused InvalidInjectValue');
  });

  describe('with a hostile body', () => {
    const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    const allowed: [string, string, string][] = [
      ['another kind', '/pods/annotated', review({}, { kind: { group: '', version: 'v1', kind: 'Secret' } })],
      [
        'a version of pods from elsewhere',
        '/pods/annotated',
        review(aPod(), { kind: { group: 'x', version: 'v9', kind: 'Pod' } }),
      ],
      ['another operation', '/pods/annotated', review(aPod(), { operation: 'DELETE' })],
      ['no object', '/pods/annotated', review(null)],
      ['an object that is a text', '/pods/annotated', review('pod')],
      ['a pod without spec', '/pods/annotated', review({ metadata: {} })],
      ['containers that are a text', '/pods/annotated', review({ metadata: {}, spec: { containers: 'x' } })],
      ['no containers', '/pods/annotated', review(aPod({ containers: [] }))],
      ['unknown fields', '/pods/annotated', review({ ...aPod(), surprise: { __proto__: { x: 1 } } }, { alsoNew: [1] })],
      ['a workload that is a pod', '/workloads', review(aPod())],
      [
        'a workload without a template',
        '/workloads',
        review({ metadata: {}, spec: {} }, { kind: { group: 'apps', version: 'v1', kind: 'Deployment' } }),
      ],
    ];
    it.each(allowed)('lets through unchanged or injects: %s', async (_, path, body) => {
      expect((await ask(path, body)).allowed).toBe(true);
    });

    it('refuses what it cannot read where nothing may get past it', async () => {
      expect(await ask('/pods/required', review({ metadata: {}, spec: { containers: 'x' } }))).toMatchObject({
        allowed: false,
        status: { message: expect.stringContaining('InjectionRequired') },
      });
    });

    it.each<[string, string, number]>([
      ['nothing', '', 400],
      ['no JSON', '{"a":', 400],
      ['null', 'null', 400],
      ['a list', '[]', 400],
      ['a review of another version', review(aPod()).replace('admission.k8s.io/v1', 'admission.k8s.io/v1beta1'), 400],
      [
        'a review without a request',
        JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }),
        400,
      ],
      ['an empty uid', review(aPod(), { uid: '' }), 400],
      ['100,000 lists in each other', deep(100_000), 400],
      ['17 MiB', `"${'x'.repeat(17 * 1024 * 1024)}"`, 413],
    ])('says what is wrong with %s', async (_, body, code) => {
      const answer = await send('/pods/annotated', body);
      expect(answer.code).toBe(code);
      expect(answer.text).not.toBe('');
    });

    it.each<[string, string, object, number]>([
      ['another path', '/', {}, 404],
      ['another path still', '/pods/annotated/../required', {}, 404],
      ['another method', '/pods/annotated', { method: 'PUT' }, 405],
      ['another type', '/pods/annotated', { type: 'text/plain' }, 415],
    ])('has no webhook for %s', async (_, path, options, code) => {
      expect((await send(path, '{}', options)).code).toBe(code);
    });

    it('injects a pod of 3 MB, and one of 50 containers', async () => {
      const big = aPod({ containers: [anApp({ args: ['x'.repeat(3_000_000)] })] });
      const response = await ask('/pods/annotated', review(big));
      expect(response.auditAnnotations).toEqual({ outcome: 'injected' });
      expect(Buffer.byteLength(response.patch ?? '')).toBeLessThan(20_000);
      const many = aPod({ containers: Array.from({ length: 50 }, (_, index) => anApp({ name: `c${index}` })) });
      expect((await ask('/pods/annotated', review(many))).auditAnnotations).toEqual({ outcome: 'injected' });
    });

    it('looks at nothing deeper than it must', async () => {
      const body = review(aPod()).replace('"image":"shop/app:1"', `"image":"shop/app:1","surprise":${deep(200_000)}`);
      expect((await ask('/pods/annotated', body)).auditAnnotations).toEqual({ outcome: 'injected' });
    });

    it('refuses, and says that it is at fault, where it is', async () => {
      settings = () => {
        throw new Error('a fault of ours');
      };
      const response = await ask('/pods/annotated', review(aPod()));
      settings = () => someSettings();
      expect(response).toMatchObject({
        allowed: false,
        status: { message: expect.stringContaining('a fault of Tollgate') },
      });
      expect(response.status?.message).not.toContain('a fault of ours');
      expect(failures).toBe(1);
    });

    it('outlives callers without TLS, and callers that hang up', async () => {
      const plain = await new Promise<string>((resolve) => {
        const request = httpRequest({ host: '127.0.0.1', port: server.address.port, method: 'POST' }, () =>
          resolve('answered'),
        );
        request.on('error', () => resolve('refused'));
        request.end('{}');
      });
      expect(plain).toBe('refused');
      await new Promise<void>((resolve) => {
        const socket = connect(server.address.port, '127.0.0.1', () => {
          socket.write(Buffer.from([0x16, 3, 1, 255, 255]));
          socket.destroy();
          resolve();
        });
      });
      await new Promise<void>((resolve) => {
        const request = httpsRequest({
          host: '127.0.0.1',
          port: server.address.port,
          path: '/pods/annotated',
          method: 'POST',
          ca,
          headers: { 'content-type': 'application/json', 'content-length': 1000 },
        });
        request.on('error', () => resolve());
        request.write('{');
        setTimeout(() => request.destroy(), 20);
      });
      expect((await ask('/pods/annotated', review(aPod()))).allowed).toBe(true);
    });
  });

  it('answers what is under way when it drains, as the last of its connection', async () => {
    const agent = new Agent({ keepAlive: true });
    expect((await send('/pods/annotated', review(aPod()), { agent })).connection).toBe('keep-alive');
    server.drain();
    expect((await send('/pods/annotated', review(aPod()), { agent })).connection).toBe('close');
    await server.close();
    await expect(send('/pods/annotated', review(aPod()))).rejects.toThrow(/ECONNREFUSED/);
    agent.destroy();
  });
});
