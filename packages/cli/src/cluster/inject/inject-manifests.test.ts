import { describe, expect, it } from '@jest/globals';
import { injectPod, INJECT, PodSchema } from '@tollgate/operator/injection';
import { parseAllDocuments } from 'yaml';
import { aDeployment, PROXY_IMAGE, someNamespace, someSettings } from '../testing/workloads.ts';
import { injectManifests } from './inject-manifests.ts';

const inject = (text: string, namespace = someNamespace()) =>
  injectManifests(text, { settings: someSettings(), namespaceOf: () => namespace });

interface Template {
  readonly metadata: { readonly labels: object; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { readonly initContainers?: readonly { readonly name: string; readonly image: string }[] };
}
const objectsIn = (
  text: string,
): readonly { spec: { template: Template; jobTemplate: { spec: { template: Template } } } }[] =>
  parseAllDocuments(text).map((document) => document.toJS() as never);

describe('injected manifests', () => {
  it('have the proxy in the templates of workloads, and the annotation by which the injector knows it', () => {
    const { text, remarks, faults } = inject(JSON.stringify(aDeployment()));
    const template = objectsIn(text)[0]?.spec.template;
    expect([remarks, faults]).toEqual([[], []]);
    expect(template?.spec.initContainers).toMatchObject([{ name: 'tollgate-proxy', image: PROXY_IMAGE }]);
    expect(template?.metadata.annotations[INJECT]).toBe('true');
    expect(template?.metadata.labels).toMatchObject({ app: 'web', 'tollgate.dev/injected': 'true' });
  });

  it('are taken by the injector as what it would have made itself, when the pod comes', () => {
    const { text } = inject(JSON.stringify(aDeployment()));
    const template = objectsIn(text)[0]?.spec.template;
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d9', uid: 'u', controller: true };
    const labels = { ...template?.metadata.labels, 'pod-template-hash': '5d9' };
    const pod = PodSchema.parse({ ...template, metadata: { ...template?.metadata, labels, ownerReferences: [owner] } });
    const again = injectPod(pod, someNamespace(), someSettings());
    expect(again.outcome).toBe('repaired');
    // What the proxy says of its pod: its labels now have the hash of the template.
    expect(again.outcome === 'repaired' && again.patch.map(({ path }) => path)).toEqual(['/spec/initContainers/0']);
  });

  it('are the same when they are injected once more', () => {
    const { text } = inject(JSON.stringify(aDeployment()));
    expect(inject(text).text).toBe(text);
  });

  it('keep every other document, its comments too, and the order', () => {
    const service = '# for the web\napiVersion: v1\nkind: Service\nmetadata: {name: web} # in front\n';
    const { text } = inject(`${service}---\n${JSON.stringify(aDeployment())}\n---\nkind: ConfigMap\n`);
    expect(text.startsWith(service.replace('{name: web}', '{ name: web }')) || text.startsWith(service)).toBe(true);
    expect(text).toContain('# for the web');
    expect(text).toContain('# in front');
    expect(parseAllDocuments(text).map((document) => document.get('kind'))).toEqual([
      'Service',
      'Deployment',
      'ConfigMap',
    ]);
  });

  it('have it in a CronJob, a bare Pod and the items of a List', () => {
    const { spec } = aDeployment() as { spec: { template: object & { spec: object } } };
    const jobTemplate = { spec: { template: spec.template } };
    const cronJob = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly' }, spec: { jobTemplate } };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec: spec.template.spec };
    const { text } = inject(
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [cronJob, pod, { kind: 'Secret' }] }),
    );
    const [list] = parseAllDocuments(text).map((document) => document.toJS() as { items: unknown });
    const [job, bare, secret] = list?.items as readonly [
      { spec: { jobTemplate: { spec: { template: Template } } } },
      Template,
      object,
    ];
    expect(job.spec.jobTemplate.spec.template.spec.initContainers?.[0]?.name).toBe('tollgate-proxy');
    expect(bare.spec.initContainers?.[0]?.name).toBe('tollgate-proxy');
    expect(secret).toEqual({ kind: 'Secret' });
  });

  it('carry what the metadata of a workload says to its template, as the webhook does', () => {
    const annotations = { 'tollgate.dev/proxy-port': '4500' };
    const { text } = inject(JSON.stringify(aDeployment({}, { metadata: { annotations } })));
    expect(objectsIn(text)[0]?.spec.template.metadata.annotations).toMatchObject(annotations);
    expect(text).toContain('http://127.0.0.1:4500/openai/v1');
  });

  it('leave out who says no, and who cannot have it, and say why', () => {
    const no = JSON.stringify(aDeployment({}, { pod: { annotations: { [INJECT]: 'false' } } }));
    const onHost = JSON.stringify(aDeployment({}, { spec: { hostNetwork: true } }));
    const { text, remarks, faults } = inject(`${no}\n---\n${onHost}`);
    expect(text).not.toContain('tollgate-proxy');
    expect(faults).toEqual([]);
    expect(remarks).toEqual([
      expect.stringMatching(/^deployment\/web: left as it is: .*\(OptedOut\)$/),
      expect.stringMatching(/^deployment\/web: left as it is: .*\(HostNetwork\)$/),
    ]);
  });

  it.each<readonly [string, object]>([
    ['deployment/web', aDeployment({}, { metadata: { name: 'web', annotations: { [INJECT]: 'yes' } } })],
    ['deployment/web', aDeployment({}, { pod: { annotations: { [INJECT]: 'yes' } } })],
    ['deployment/web', aDeployment({}, { pod: { labels: { [INJECT]: 'yes' } } })],
    [
      'pod/p',
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', annotations: { [INJECT]: 'yes' } },
        spec: { containers: [] },
      },
    ],
  ])('are refused where %s says neither yes nor no', (name, object) => {
    expect(inject(JSON.stringify(object)).faults).toEqual([
      `${name}: tollgate.dev/inject must be "true" or "false", not "yes"`,
    ]);
  });

  it('are refused where the injector would refuse the pod, and where they are no YAML', () => {
    const required = someNamespace({ mode: 'required' });
    expect(inject(JSON.stringify(aDeployment({}, { spec: { hostNetwork: true } })), required).faults).toEqual([
      expect.stringContaining('(InjectionRequired)'),
    ]);
    expect(inject('a: [').faults).toHaveLength(1);
  });
});
