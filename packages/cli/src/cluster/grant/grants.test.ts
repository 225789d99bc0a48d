import { describe, expect, it } from '@jest/globals';
import { budgetAdminGrant, secretGrant } from './grants.ts';

describe('what grant makes', () => {
  it('lets one account get one Secret, and nothing else', () => {
    const grant = { name: 'keys', namespace: 'shop', operatorAccount: 'tollgate-system:tollgate-operator' };
    expect(secretGrant(grant)).toEqual([
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'tollgate-sees-keys', namespace: 'shop' },
        rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['keys'], verbs: ['get'] }],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'tollgate-sees-keys', namespace: 'shop' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'tollgate-sees-keys' },
        subjects: [{ kind: 'ServiceAccount', name: 'tollgate-operator', namespace: 'tollgate-system' }],
      },
    ]);
  });

  it.each([
    [{ kind: 'User', name: 'jane@shop.test' } as const, { kind: 'User', name: 'jane@shop.test' }],
    [{ kind: 'Group', name: 'finops' } as const, { kind: 'Group', name: 'finops' }],
    [{ kind: 'ServiceAccount', name: 'ci:bot' } as const, { kind: 'ServiceAccount', name: 'bot', namespace: 'ci' }],
  ])('binds %j to the role in one namespace', (grantee, subject) => {
    const [binding] = budgetAdminGrant(grantee, 'shop');
    expect(binding).toMatchObject({
      kind: 'RoleBinding',
      metadata: { namespace: 'shop' },
      roleRef: { kind: 'ClusterRole', name: 'tollgate-budget-admin' },
      subjects: [subject],
    });
  });

  it('names the bindings of two grantees differently, so that neither takes the right from the other', () => {
    const names = (['a/b', 'a_b', 'a%b'] as const).map(
      (name) => budgetAdminGrant({ kind: 'User', name }, 'shop')[0]?.metadata.name ?? '',
    );
    expect(new Set(names).size).toBe(3);
    expect(names.join()).not.toMatch(/[/%]/);
  });
});
