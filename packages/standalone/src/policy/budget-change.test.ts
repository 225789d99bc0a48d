import { describe, expect, it } from '@jest/globals';
import { parseManifest } from '@tollgate/api/schema';
import type { Resource } from '@tollgate/api/schema';
import { budgetChange } from './budget-change.ts';

const budget = (namespace: string, name: string, selector: object = {}): Resource => {
  const parsed = parseManifest({
    apiVersion: 'tollgate.dev/v1alpha1',
    kind: 'TokenBudget',
    metadata: { name, namespace },
    spec: { ...selector, limits: [{ name: 'calls', period: 'Day', requests: { max: 1 } }] },
  });
  if (!parsed.ok) throw new Error(parsed.faults.map(({ message }) => message).join());
  return parsed.resource;
};
const place = {
  subject: { namespace: 'shop', workload: 'local', labels: { app: 'chat' }, team: 'shop' },
  systemNamespace: 'tollgate-system',
};
const change = (former: Resource[], next: Resource[]) => budgetChange(former, next, place);

describe('a change of the manifests', () => {
  it('leaves the caller without a limit when no budget is for it', () => {
    expect(change([], []).isBound).toBe(false);
    expect(change([], [budget('elsewhere', 'a')]).isBound).toBe(false);
    expect(change([], [budget('shop', 'a', { selector: { matchLabels: { app: 'batch' } } })]).isBound).toBe(false);
  });

  it('binds the caller by a budget of its namespace, or of the system namespace that selects it', () => {
    expect(change([], [budget('elsewhere', 'a'), budget('shop', 'b')]).isBound).toBe(true);
    expect(change([], [budget('tollgate-system', 'all', { namespaceSelector: {} })]).isBound).toBe(true);
  });

  it('names the budgets that have gone, and no others', () => {
    expect(
      change([budget('shop', 'a'), budget('shop', 'b'), budget('x', 'a')], [budget('shop', 'b'), budget('y', 'c')])
        .gone,
    ).toEqual(['shop/a', 'x/a']);
  });
});
