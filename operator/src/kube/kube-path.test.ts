import { describe, expect, it } from '@jest/globals';
import { keyOf, nameOfKey, type KubeKind } from './kube-object.ts';
import { applySearch, groupPath, kindPath, listSearch, objectPath, watchSearch } from './kube-path.ts';

const POD: KubeKind = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const BUDGET: KubeKind = {
  group: 'tollgate.dev',
  version: 'v1alpha1',
  kind: 'TokenBudget',
  plural: 'tokenbudgets',
  namespaced: true,
};
const NODE: KubeKind = { group: '', version: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

describe('paths of the API server', () => {
  it('are those of the core kinds and of groups, in a namespace, in all, and of the cluster', () => {
    expect(kindPath(POD, 'a')).toBe('/api/v1/namespaces/a/pods');
    expect(kindPath(POD)).toBe('/api/v1/pods');
    expect(groupPath(BUDGET)).toBe('/apis/tollgate.dev/v1alpha1');
    expect(objectPath(BUDGET, { namespace: 'a', name: 'b' }, 'status')).toBe(
      '/apis/tollgate.dev/v1alpha1/namespaces/a/tokenbudgets/b/status',
    );
    expect(objectPath(NODE, { name: 'worker' })).toBe('/api/v1/nodes/worker');
  });

  it('are refused where they would address something else', () => {
    expect(() => kindPath(NODE, 'a')).toThrow('Node is a kind of the whole cluster');
    expect(() => objectPath(POD, { name: 'x' })).toThrow('a namespace is needed: Pod x lives in one');
    expect(() => objectPath(POD, { namespace: 'a', name: '' })).toThrow('a name is needed');
    expect(objectPath(POD, { namespace: 'a/b', name: 'c?d#e' })).toBe('/api/v1/namespaces/a%2Fb/pods/c%3Fd%23e');
  });

  it('carry selections, pages and options in the query', () => {
    expect(listSearch({ namespace: 'a' })).toBe('');
    expect(listSearch({ limit: 5, continue: 'x=', labelSelector: 'a=b,c' })).toBe(
      '?labelSelector=a%3Db%2Cc&limit=5&continue=x%3D',
    );
    expect(watchSearch({ resourceVersion: '7', timeoutSeconds: 300 })).toBe(
      '?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300',
    );
    expect(applySearch({ fieldManager: 'm', force: true, dryRun: true })).toBe('?fieldManager=m&force=true&dryRun=All');
    expect(applySearch({ fieldManager: 'm', force: false })).toBe('?fieldManager=m');
  });
});

describe('the key of an object', () => {
  it('leads back to its name', () => {
    for (const name of [{ namespace: 'a', name: 'b' }, { name: 'b' }]) expect(nameOfKey(keyOf(name))).toEqual(name);
    expect(keyOf({ namespace: '', name: 'b' })).toBe('b');
  });
});
