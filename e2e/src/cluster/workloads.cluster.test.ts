/** The other kinds of workload, and the other ways to opt in. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from './testing/eventually.ts';
import { apply, getJson, kubectl } from './testing/kubectl.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { podsOf } from './testing/pods.ts';
import { ensureRelease } from './testing/release.ts';

const INSTALL_MS = 400_000;
const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

const podSpec = (script: string): object => ({
  terminationGracePeriodSeconds: 2,
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'app',
      image: 'localhost/tollgate-server:dev',
      imagePullPolicy: 'IfNotPresent',
      command: ['node', '--eval', script],
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
});
const STAYS = `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)`;
const ENDS = 'console.log(process.env.OPENAI_BASE_URL)';

const aSet = (kind: 'StatefulSet' | 'DaemonSet', namespace: string): object => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'app', namespace },
  spec: {
    selector: { matchLabels: { app: 'app' } },
    ...(kind === 'StatefulSet' ? { serviceName: 'app', replicas: 1 } : {}),
    template: { metadata: { labels: { app: 'app' } }, spec: podSpec(STAYS) },
  },
});

describe('opting in', () => {
  let namespace: StoryNamespace | null = null;
  const ours = (...args: readonly string[]): Promise<string> => kubectl([...args, '-n', namespace?.name ?? '']);
  const startIn = async (story: string, labels: Readonly<Record<string, string>> = RESTRICTED): Promise<string> => {
    namespace = await makeNamespace(story, labels);
    return namespace.name;
  };
  beforeAll(() => ensureRelease(), INSTALL_MS);
  afterAll(() => namespace?.remove());

  it.each(['StatefulSet', 'DaemonSet'] as const)('a %s rolls by its annotation, and back', async (kind) => {
    const name = await startIn(kind.toLowerCase());
    const withProxy = (isThere: boolean): Promise<unknown> =>
      eventually(
        isThere ? 'its pod has the proxy' : 'its pod has no proxy',
        () => podsOf(name, 'app'),
        (pods) => pods.length === 1 && (pods[0]?.proxy !== null) === isThere,
      );
    await apply(aSet(kind, name));
    await withProxy(false);
    await ours('annotate', kind.toLowerCase(), 'app', 'tollgate.dev/inject=true');
    await withProxy(true);
    await ours('annotate', kind.toLowerCase(), 'app', 'tollgate.dev/inject-');
    await withProxy(false);
    await namespace?.remove();
  });

  it('a CronJob gives the proxy to the Jobs that it makes from then on, and they complete', async () => {
    const name = await startIn('cronjob');
    await apply({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly', namespace: name },
      spec: {
        schedule: '0 3 * * *',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', ...podSpec(ENDS) } } } },
      },
    });
    await ours('annotate', 'cronjob', 'nightly', 'tollgate.dev/inject=true');
    await ours('create', 'job', 'tonight', '--from=cronjob/nightly');
    await ours('wait', '--for=condition=Complete', 'job/tonight', '--timeout=120s');
    expect((await ours('logs', 'job/tonight', '-c', 'app')).trim()).toBe('http://127.0.0.1:4100/openai/v1');
    await namespace?.remove();
  });

  it('every pod of a namespace whose label says so', async () => {
    const name = await startIn('by-label', { ...RESTRICTED, 'tollgate.dev/injection': 'enabled' });
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'app', namespace: name },
      spec: podSpec(STAYS),
    });
    const pod = await getJson<{ spec: { initContainers?: readonly { name: string }[] } }>(
      'get',
      'pod',
      'app',
      '-n',
      name,
    );
    expect(pod.spec.initContainers?.map((container) => container.name)).toEqual(['tollgate-proxy']);
    await ours('wait', '--for=condition=Ready', 'pod/app', '--timeout=120s');
  });
});
