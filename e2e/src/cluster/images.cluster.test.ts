/** The images by themselves: they start as strangers to root, and stand in a pod as the injector will put them there. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { apply, getJson, kubectl } from './testing/kubectl.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';

const PROXY = 'localhost/tollgate-proxy:dev';
const OPERATOR = 'localhost/tollgate-operator:dev';
const SERVER = 'localhost/tollgate-server:dev';

const STRICT = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** First among the init containers, running on beside the app: what Kubernetes calls a native sidecar. */
const sidecar = {
  // Neither the proxy's name nor its token's audience: where Tollgate is installed it refuses a pod that takes these itself.
  name: 'proxy-by-hand',
  image: PROXY,
  imagePullPolicy: 'IfNotPresent',
  restartPolicy: 'Always',
  env: [
    // Nobody is there: the proxy has to start all the same, and to say so to who calls.
    { name: 'TOLLGATE_SERVER_URL', value: 'http://127.0.0.1:4180' },
    { name: 'TOLLGATE_TOKEN_FILE', value: '/var/run/secrets/tollgate/token' },
    { name: 'TOLLGATE_SPOOL_DIR', value: '/var/lib/tollgate/spool' },
    { name: 'TOLLGATE_ADMIN_LISTEN', value: '0.0.0.0:4190' },
    // It has nothing to finish, and nobody to tell so.
    { name: 'TOLLGATE_GRACE_MS', value: '1000' },
  ],
  ports: [{ name: 'tollgate-admin', containerPort: 4190 }],
  startupProbe: { httpGet: { path: '/startupz', port: 4190 }, periodSeconds: 1, failureThreshold: 60 },
  livenessProbe: { httpGet: { path: '/livez', port: 4190 } },
  resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '256Mi' } },
  securityContext: STRICT,
  volumeMounts: [
    { name: 'token', mountPath: '/var/run/secrets/tollgate', readOnly: true },
    { name: 'spool', mountPath: '/var/lib/tollgate/spool' },
  ],
};

const volumes = [
  {
    name: 'token',
    projected: { sources: [{ serviceAccountToken: { audience: 'nobody', expirationSeconds: 3600, path: 'token' } }] },
  },
  { name: 'spool', emptyDir: {} },
];

const CALL = `
const answer = await fetch('http://127.0.0.1:4100/openai/v1/chat/completions', {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
  body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] }),
});
console.log(JSON.stringify({ uid: process.getuid(), status: answer.status, id: answer.headers.get('x-tollgate-request-id') }));
`;

/** Exit codes from here on are of those who were ended by a signal. */
const KILLED = 128;

interface Pod {
  readonly status: {
    readonly phase: string;
    readonly initContainerStatuses?: readonly {
      readonly started?: boolean;
      readonly restartCount: number;
      readonly state: { readonly terminated?: { readonly exitCode: number } };
    }[];
  };
}

interface PodEnd {
  readonly status: {
    readonly containerStatuses: readonly { readonly state: { readonly terminated?: { readonly exitCode: number } } }[];
  };
}

/** sysexits.h: EX_USAGE. */
const CONFIG_FAULT = 64;

describe('the images', () => {
  let namespace: StoryNamespace | null = null;
  const inNamespace = (...args: readonly string[]): readonly string[] => ['-n', namespace?.name ?? '', ...args];

  beforeAll(async () => {
    namespace = await makeNamespace('images');
  });
  afterAll(() => namespace?.remove());

  it('a Job whose pod carries the proxy as a native sidecar calls through it, and completes', async () => {
    await apply({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'caller', namespace: namespace?.name },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: 'Never',
            initContainers: [sidecar],
            containers: [
              {
                name: 'app',
                image: SERVER,
                imagePullPolicy: 'IfNotPresent',
                command: ['node', '--input-type=module', '--eval', CALL],
                securityContext: STRICT,
              },
            ],
            volumes,
          },
        },
      },
    });
    await kubectl(inNamespace('wait', '--for=condition=Complete', 'job/caller', '--timeout=150s'));
    const said: unknown = JSON.parse(await kubectl(inNamespace('logs', 'job/caller', '-c', 'app')));
    expect(said).toEqual({ uid: 65532, status: 503, id: expect.stringMatching(/^tg-/) });
    const { items } = await getJson<{ items: readonly Pod[] }>('get', 'pods', ...inNamespace('-l', 'job-name=caller'));
    // It was asked to end after the app, and did: with 1, since the server that it had to take its leave of is not there.
    expect(items.map(({ status }) => status.phase)).toEqual(['Succeeded']);
    expect(items[0]?.status.initContainerStatuses?.[0]?.state.terminated?.exitCode).toBeLessThan(KILLED);
  });

  it('the server image is the tollgate command, which says its version', async () => {
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'version', namespace: namespace?.name },
      spec: {
        restartPolicy: 'Never',
        containers: [
          {
            name: 'tollgate',
            image: SERVER,
            imagePullPolicy: 'IfNotPresent',
            args: ['version'],
            securityContext: STRICT,
          },
        ],
      },
    });
    await kubectl(inNamespace('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/version', '--timeout=150s'));
    expect(await kubectl(inNamespace('logs', 'version'))).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each(['operator', 'injector'])(
    'the operator image starts the %s, which says what it is not told',
    async (program) => {
      await apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: program, namespace: namespace?.name },
        spec: {
          restartPolicy: 'Never',
          containers: [
            {
              name: program,
              image: OPERATOR,
              imagePullPolicy: 'IfNotPresent',
              args: [`/app/${program}.js`],
              securityContext: STRICT,
            },
          ],
        },
      });
      await kubectl(inNamespace('wait', '--for=jsonpath={.status.phase}=Failed', `pod/${program}`, '--timeout=150s'));
      expect(await kubectl(inNamespace('logs', program))).toContain('TOLLGATE_');
      const { status } = await getJson<PodEnd>('get', 'pod', program, ...inNamespace());
      expect(status.containerStatuses.map(({ state }) => state.terminated?.exitCode)).toEqual([CONFIG_FAULT]);
    },
  );
});
