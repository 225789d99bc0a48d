import { describe, expect, it } from '@jest/globals';
import { aDeployment, env, someNamespace, someSettings } from '../testing/workloads.ts';
import { workloadPod } from '../workload-pod.ts';
import { printScan } from './print-scan.ts';
import { scanWorkload, type ScanContext, type ScannedWorkload } from './scan-workload.ts';

const scanned = (deployment: object, context: Partial<ScanContext> = {}): ScannedWorkload | null => {
  const workload = workloadPod('Deployment', deployment);
  if (workload === null) throw new Error('the Deployment cannot be read');
  return scanWorkload(workload, {
    namespace: someNamespace(),
    settings: someSettings(),
    configMaps: new Map(),
    pods: 3,
    ...context,
  });
};
const KEY = { env: env({ OPENAI_API_KEY: 'sk-secret' }) };

const word = (value: string) => ({ annotations: { 'tollgate.dev/inject': value } });

describe('the command that a scan prints', () => {
  const inTemplate = `kubectl patch deployment/web -n shop --type=merge -p '${JSON.stringify({
    spec: { template: { metadata: word('true') } },
  })}'`;
  const annotate = 'kubectl annotate deployment/web -n shop tollgate.dev/inject=true';

  it.each<readonly [string, Parameters<typeof aDeployment>[1], string | null]>([
    ['annotates what says nothing', {}, annotate],
    [
      'overwrites what says neither yes nor no',
      { metadata: { name: 'web', ...word('TRUE') } },
      `${annotate} --overwrite`,
    ],
    ['changes the template where that says it', { pod: word('yes') }, inTemplate],
    [
      'changes the template, whatever the workload says',
      { metadata: { name: 'web', ...word('true') }, pod: word('yes') },
      inTemplate,
    ],
    [
      'overwrites what was carried',
      { metadata: { name: 'web', ...word('yes') }, pod: word('yes') },
      `${annotate} --overwrite`,
    ],
    ['is none where it asks', { pod: word('true') }, null],
    ['is none where it cannot be injected', { spec: { hostNetwork: true } }, null],
  ])('%s', (_what, parts, expected) => {
    expect(scanned(aDeployment(KEY, parts))?.next).toBe(expected);
  });

  it('finds the template of a CronJob, and none for a Job', () => {
    const template = { metadata: word('1'), spec: { containers: [{ name: 'app', ...KEY }] } };
    const next = (kind: string, object: object): string | null | undefined => {
      const workload = workloadPod(kind, object);
      if (workload === null) throw new Error('it cannot be read');
      const context = { namespace: someNamespace(), settings: someSettings(), configMaps: new Map(), pods: null };
      return scanWorkload(workload, context)?.next;
    };
    const night = { metadata: { name: 'night' }, spec: { jobTemplate: { spec: { template } } } };
    expect(next('CronJob', night)).toContain('{"spec":{"jobTemplate":{"spec":{"template":{"metadata":');
    expect(next('Job', { metadata: { name: 'once' }, spec: { template } })).toBeNull();
  });

  it('comes with what is wrong', () => {
    const fault = 'tollgate.dev/inject must be "true" or "false", not "yes"; it has no effect as it is';
    expect(scanned(aDeployment(KEY, { metadata: { name: 'web', ...word('yes') } }))?.notes).toEqual([fault]);
    expect(scanned(aDeployment(KEY, { pod: word('yes') }))?.notes).toEqual([
      fault,
      `its pod template says it, and that counts over the workload's own annotation; change it there: ${inTemplate}`,
    ]);
    expect(scanned(aDeployment(KEY, { pod: { labels: { 'tollgate.dev/inject': 'on' } } }))?.notes).toEqual([
      fault.replace('yes', 'on'),
    ]);
  });
});

describe('a scan of one workload', () => {
  it('passes over what shows no sign of a language model', () => {
    expect(scanned(aDeployment({ env: env({ DATABASE_URL: 'postgres://db' }) }))).toBeNull();
  });

  it('finds a key by the names of the SDKs, and says that injection would cover it', () => {
    expect(scanned(aDeployment(KEY))).toMatchObject({
      namespace: 'shop',
      kind: 'Deployment',
      name: 'web',
      providers: ['openai'],
      asks: false,
      coverage: 'Full',
      reason: null,
      notes: [],
    });
  });

  it('never tells the value of a variable', () => {
    const found = scanned(aDeployment({ env: env({ OPENAI_API_KEY: 'sk-secret', GROQ_API_KEY: 'gsk-secret' }) }));
    expect(JSON.stringify(found)).not.toContain('secret');
  });

  it.each([
    ['its own annotation', aDeployment(KEY, { metadata: { annotations: { 'tollgate.dev/inject': 'true' } } }), null],
    ["its template's", aDeployment(KEY, { pod: { annotations: { 'tollgate.dev/inject': 'true' } } }), null],
    ["its namespace's label", aDeployment(KEY), 'enabled'],
  ] as const)('sees that it asks already, by %s', (_title, deployment, mode) => {
    expect(scanned(deployment, { namespace: someNamespace({ mode }) })).toMatchObject({ asks: true, coverage: 'Full' });
  });

  it.each([
    ['its node’s network', { spec: { hostNetwork: true } }, {}, 'HostNetwork'],
    ['Windows', { spec: { os: { name: 'windows' } } }, {}, 'Windows'],
    ['a no of its own', { pod: { annotations: { 'tollgate.dev/inject': 'false' } } }, {}, 'OptedOut'],
    ['a namespace where it is off', {}, { mode: 'disabled' as const }, 'NamespaceDisabled'],
    ['a namespace that is left out', {}, { name: 'kube-system' }, 'NamespaceExcluded'],
    ['an old API server', {}, { kubernetesMinor: 28 }, 'KubernetesTooOld'],
  ])('gives the injector’s own reason for %s', (_title, parts, namespace, reason) => {
    const found = scanned(aDeployment(KEY, parts), { namespace: someNamespace(namespace) });
    expect(found).toMatchObject({ coverage: 'None', reason });
    expect(found?.notes.join()).not.toBe('');
  });

  it('gives the reason of a port that is taken, and how to choose another', () => {
    const found = scanned(aDeployment({ ...KEY, ports: [{ containerPort: 4100 }] }));
    expect(found?.reason).toBe('PortInUse');
    expect(found?.notes[0]).toContain('tollgate.dev/proxy-port');
  });

  it('says which base URL cannot be taken over, and that its calls go past the proxy', () => {
    const fromSecret = { name: 'OPENAI_BASE_URL', valueFrom: { secretKeyRef: { name: 'llm', key: 'url' } } };
    const found = scanned(aDeployment({ env: [...KEY.env, fromSecret, ...env({ ANTHROPIC_API_KEY: 'x' })] }));
    expect(found).toMatchObject({ coverage: 'Partial', providers: ['openai', 'anthropic'] });
    expect(found?.notes).toEqual([
      expect.stringMatching(/^OPENAI_BASE_URL of container app stays as it is.*valueFrom/),
    ]);
  });

  it.each([
    ['a service that is not metered', { GROQ_API_KEY: 'x' }, 'None', 'calls to Groq are not led'],
    ['a base URL that no SDK reads', { OPENAI_API_BASE_URL: 'http://x' }, 'None', 'no SDK reads'],
    ['a provider’s address by another name', { MY_MODEL: 'https://api.anthropic.com/v1' }, 'None', 'no SDK reads'],
    ['a key of Azure without its endpoint', { AZURE_OPENAI_API_KEY: 'x' }, 'None', 'AZURE_OPENAI_ENDPOINT'],
    ['such a service beside a metered one', { GROQ_API_KEY: 'x', GEMINI_API_KEY: 'y' }, 'Partial', 'Groq'],
  ])('does not promise to cover %s', (_title, variables, coverage, words) => {
    const found = scanned(aDeployment({ env: env(variables) }));
    expect(found?.coverage).toBe(coverage);
    expect(found?.notes.join()).toContain(words);
  });

  it('goes by the providers of the settings', () => {
    const found = scanned(aDeployment(KEY), { settings: someSettings({ providers: ['anthropic'] }) });
    expect(found).toMatchObject({ coverage: 'None', reason: null });
    expect(found?.notes[0]).toContain('not among the providers');
  });

  it('reads names of variables out of ConfigMaps, with the prefix that envFrom gives them', () => {
    const envFrom = [{ prefix: 'OPENAI_', configMapRef: { name: 'llm' } }];
    const found = scanned(aDeployment({ envFrom }), { configMaps: new Map([['llm', ['API_KEY']]]) });
    expect(found?.signs).toEqual([
      { container: 'app', kind: 'key', provider: 'openai', name: 'OPENAI_API_KEY', from: 'ConfigMap llm' },
    ]);
    expect(found?.coverage).toBe('Full');
  });

  it('takes the name of a Secret for a hint, and does not know more', () => {
    const found = scanned(aDeployment({ envFrom: [{ secretRef: { name: 'openai-keys' } }] }));
    expect(found).toMatchObject({ coverage: 'Unknown', providers: [] });
    expect(found?.notes.join()).toContain('Secret openai-keys, which is not read');
    expect(scanned(aDeployment({ envFrom: [{ secretRef: { name: 'database' } }] }))).toBeNull();
  });

  it('knows images that keep their keys to themselves', () => {
    const found = scanned(aDeployment({ image: 'ghcr.io/open-webui/open-webui:v0.6' }));
    expect(found).toMatchObject({ coverage: 'Unknown' });
    expect(found?.notes[0]).toContain('its own settings');
  });
});

describe('a printed scan', () => {
  const reportOf = (...workloads: readonly (ScannedWorkload | null)[]) => ({
    workloads: workloads.filter((workload) => workload !== null),
    installed: false,
    unread: [],
  });

  it('says what there is, what is not covered, and what to do next', () => {
    expect(printScan(reportOf(scanned(aDeployment(KEY))))).toBe(
      [
        'NAMESPACE   WORKLOAD         PODS   CALLS    ASKS   COVERED',
        'shop        deployment/web   3      openai   no     yes',
        '',
        '1 workload shows signs of calls to language models; injection covers 1 whole. Next:',
        '  helm install tollgate charts/tollgate --namespace tollgate-system --create-namespace --wait',
        '  kubectl annotate deployment/web -n shop tollgate.dev/inject=true',
        '',
      ].join('\n'),
    );
    const hosted = scanned(aDeployment(KEY, { spec: { hostNetwork: true } }));
    expect(printScan(reportOf(hosted))).toContain('shop deployment/web (HostNetwork)\n  the pod is on its node');
  });

  it('says so where there is nothing, and what it could not see', () => {
    const text = printScan({ workloads: [], installed: true, unread: ['list Job: forbidden'] });
    expect(text).toContain('Of what could be read, no workload names a key');
    expect(text).toContain('  list Job: forbidden\n');
    expect(printScan({ workloads: [], installed: true, unread: [] })).toMatch(/^No workload names a key/);
  });
});
