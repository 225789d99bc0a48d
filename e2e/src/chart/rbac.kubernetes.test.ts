/** Who may do what: a list to be read, and compared with what the programs say they need. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  injectorClusterRules,
  injectorNamespaceRules,
  OPERATOR_CLUSTER_RULES,
  operatorNamespaceRules,
  rotatorClusterRules,
  rotatorNamespaceRules,
  type RbacRule,
} from '@tollgate/operator/chart';
import { EVERYTHING, find, render, type Manifest } from './testing/helm.ts';

let manifests: readonly Manifest[];
beforeAll(async () => {
  manifests = await render({ values: EVERYTHING });
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const rulesOf = (kind: 'ClusterRole' | 'Role', name: string): readonly Rule[] => find(manifests, kind, name)['rules'];

const asRule = ({ groups, resources, verbs, resourceNames }: RbacRule): Rule => ({
  apiGroups: groups,
  resources,
  verbs,
  ...(resourceNames === undefined ? {} : { resourceNames }),
});

it('operator and injector may do what they themselves say they need, and no more', () => {
  const [configuration, tls, authority] = ['tollgate-injector', 'tollgate-webhook-tls', 'tollgate-webhook-ca'] as const;
  expect(rulesOf('ClusterRole', 'tollgate-operator')).toEqual(
    [...OPERATOR_CLUSTER_RULES, ...rotatorClusterRules(configuration)].map(asRule),
  );
  expect(rulesOf('Role', 'tollgate-operator')).toEqual(
    [...operatorNamespaceRules('tollgate-operator'), ...rotatorNamespaceRules(tls, authority)].map(asRule),
  );
  expect(rulesOf('ClusterRole', 'tollgate-injector')).toEqual(injectorClusterRules(configuration).map(asRule));
  expect(rulesOf('Role', 'tollgate-injector')).toEqual(injectorNamespaceRules(tls).map(asRule));
});

it('all together may do this', () => {
  const lines = manifests
    .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    .flatMap(({ kind, metadata, ...rest }) =>
      (rest['rules'] as readonly Rule[]).map(
        ({ apiGroups, resources, verbs, resourceNames }) =>
          `${kind} ${metadata.name}: ${verbs.join(' ')} ${resources.map((resource) => `${resource}.${apiGroups.join()}`).join(' ')}` +
          (resourceNames === undefined ? '' : ` named ${resourceNames.join(' ')}`),
      ),
    );
  expect(lines.toSorted()).toMatchSnapshot();
});

it('no role of the whole cluster reaches a Secret, or anything by a star', () => {
  for (const { metadata, ...role } of manifests.filter(({ kind }) => kind === 'ClusterRole')) {
    for (const { apiGroups, resources, verbs } of role['rules'] as readonly Rule[]) {
      expect([metadata.name, ...apiGroups, ...resources, ...verbs]).not.toContain('*');
      expect([metadata.name, ...resources]).not.toContain('secrets');
    }
  }
});

it('every binding is of a role of the chart to an account of the chart', () => {
  const accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
  for (const { kind, metadata, roleRef, subjects } of manifests.filter(
    ({ kind: of }) => of.endsWith('Binding') && !of.includes('Admission'),
  )) {
    expect(find(manifests, roleRef.kind, roleRef.name).kind).toBe(kind.replace('Binding', ''));
    expect(subjects).toHaveLength(1);
    expect([metadata.name, accounts.includes(subjects[0].name), subjects[0].namespace]).toEqual([
      metadata.name,
      true,
      'tollgate-system',
    ]);
  }
});

describe('people', () => {
  it('who may view see all kinds, who may edit change routes and services, and no budget', () => {
    const aggregated = (to: string): readonly string[] =>
      manifests
        .filter(({ metadata }) => metadata.labels?.[`rbac.authorization.k8s.io/aggregate-to-${to}`] === 'true')
        .map(({ metadata }) => metadata.name);
    expect([aggregated('view'), aggregated('edit'), aggregated('admin')]).toEqual([
      ['tollgate-view'],
      ['tollgate-view', 'tollgate-edit'],
      ['tollgate-view', 'tollgate-edit'],
    ]);
    const written = rulesOf('ClusterRole', 'tollgate-edit').flatMap(({ resources }) => resources);
    expect(written).toEqual(['modelroutes', 'llminferenceservices']);
  });

  it('see nothing of it by their usual roles where you say so', async () => {
    const apart = await render({ values: { rbac: { aggregate: false } } });
    expect(JSON.stringify(apart)).not.toContain('aggregate-to-');
  });
});
