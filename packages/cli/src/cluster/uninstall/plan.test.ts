import { describe, expect, it } from '@jest/globals';
import type { ReleaseObject, UninstallFacts } from './facts.ts';
import { ownerOf } from './owner.ts';
import { planUninstall } from './plan.ts';
import { printPlan } from './print-plan.ts';

const object = (kind: string, name: string, changes: Partial<ReleaseObject> = {}): ReleaseObject => ({
  kind,
  name,
  namespace: 'tollgate-system',
  isHelms: true,
  isDefinition: false,
  isInTheWay: false,
  ...changes,
});
const facts = (changes: Partial<UninstallFacts> = {}): UninstallFacts => ({
  installation: { namespace: 'tollgate-system', release: 'tg', name: 'tg-tollgate', version: '0.1.0', programs: [] },
  objects: [
    object('deployment', 'tg-tollgate-server'),
    object('mutatingwebhookconfiguration', 'tg-tollgate-injector', { namespace: null, isInTheWay: true }),
    object('secret', 'tg-tollgate-stores', { isHelms: false }),
    object('crd', 'tokenbudgets.tollgate.dev', { namespace: null, isHelms: false, isDefinition: true }),
  ],
  carriers: [],
  namespaces: [],
  budgets: [],
  routes: 0,
  services: 0,
  unread: [],
  ...changes,
});
const commandsOf = (changes: Partial<UninstallFacts>): readonly string[] =>
  planUninstall(facts(changes)).steps.flatMap(({ commands }) => commands);

describe('the plan of an uninstallation', () => {
  it('is helm first, then what helm leaves, and the definitions last', () => {
    expect(commandsOf({})).toEqual([
      'helm uninstall tg -n tollgate-system',
      'kubectl delete secret/tg-tollgate-stores -n tollgate-system',
      'kubectl delete crd tokenbudgets.tollgate.dev',
    ]);
  });

  it('takes the proxies out before the server goes', () => {
    const carriers = [
      { namespace: 'shop', workload: 'deployment/web', pods: 3 },
      { namespace: 'jobs', workload: 'cronjob/nightly', pods: 1 },
      { namespace: 'jobs', workload: 'job/once', pods: 1 },
    ];
    const namespaces = [{ name: 'shop', label: 'enabled' }];
    expect(commandsOf({ carriers, namespaces }).slice(0, 7)).toEqual([
      'kubectl label namespace shop tollgate.dev/injection-',
      'kubectl annotate deployment/web -n shop tollgate.dev/inject-',
      'kubectl annotate cronjob/nightly -n jobs tollgate.dev/inject-',
      'kubectl rollout restart deployment/web -n shop',
      'kubectl delete job/once -n jobs',
      'kubectl get pods -A -l tollgate.dev/injected=true',
      'helm uninstall tg -n tollgate-system',
    ]);
  });

  it('says what goes, what stays, who carries the proxy and which budgets have spent', () => {
    const plan = planUninstall(
      facts({
        carriers: [{ namespace: 'shop', workload: 'deployment/web', pods: 1 }],
        budgets: [
          { namespace: 'shop', name: 'team', spent: '$12.50' },
          { namespace: 'shop', name: 'new', spent: '$0.00' },
          { namespace: 'shop', name: 'unseen', spent: '' },
        ],
      }),
    );
    expect(plan).toMatchObject({
      goes: ['deployment/tg-tollgate-server -n tollgate-system', 'mutatingwebhookconfiguration/tg-tollgate-injector'],
      stays: ['secret/tg-tollgate-stores -n tollgate-system', 'crd/tokenbudgets.tollgate.dev'],
      carriers: ['deployment/web -n shop (1 pod)'],
      spending: ['tokenbudget/team -n shop ($12.50)'],
    });
    const text = printPlan(plan);
    expect(text).toContain(
      'Carry the proxy, and would call a server that is gone (1):\n  deployment/web -n shop (1 pod)\n',
    );
    expect(text).toContain('removes 3 budgets, 0 routes and 0 inference services from all namespaces.');
  });

  it('names a pod by the workload that makes it again', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d9', uid: 'u', controller: true };
    expect(ownerOf({ name: 'web-5d9-x', labels: { 'pod-template-hash': '5d9' }, ownerReferences: [owner] })).toBe(
      'deployment/web',
    );
    expect(ownerOf({ name: 'alone' })).toBe('pod/alone');
  });
});
