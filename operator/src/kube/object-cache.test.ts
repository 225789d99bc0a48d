import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from './kube-object.ts';
import { makeObjectCache, type ObjectChange } from './object-cache.ts';

const pod = (namespace: string, name: string, version = '1', labels: Record<string, string> = {}): KubeObject => ({
  metadata: { namespace, name, uid: `${namespace}-${name}`, resourceVersion: version, labels },
});

const setUp = () => {
  const faults: unknown[] = [];
  const changes: string[] = [];
  const cache = makeObjectCache<KubeObject>({
    indexes: {
      team: ({ metadata }) => Object.entries(metadata.labels ?? {}).flatMap(([k, v]) => (k === 'team' ? [v] : [])),
    },
    onListenerFault: (error) => faults.push(error),
  });
  const told = ({ before, after }: ObjectChange<KubeObject>): void => {
    const version = (object: KubeObject | null): string => object?.metadata.resourceVersion ?? '-';
    changes.push(`${(after ?? before)?.metadata.name ?? ''}:${version(before)}>${version(after)}`);
  };
  return { cache, faults, changes, told };
};

describe('the object cache', () => {
  it('finds objects by name, by namespace and by index, as they are now', () => {
    const { cache } = setUp();
    cache.set(pod('a', 'one', '1', { team: 'red' }));
    cache.set(pod('a', 'two', '1', { team: 'blue' }));
    cache.set(pod('b', 'one', '1', { team: 'red' }));
    expect(cache.get({ namespace: 'a', name: 'one' })?.metadata.uid).toBe('a-one');
    expect([cache.list().length, cache.list('a').length, cache.list('c').length, cache.size]).toEqual([3, 2, 0, 3]);
    expect(cache.by('team', 'red').map(({ metadata }) => metadata.uid)).toEqual(['a-one', 'b-one']);
    cache.set(pod('a', 'one', '2', { team: 'blue' }));
    cache.delete({ namespace: 'b', name: 'one' });
    expect(cache.by('team', 'red')).toEqual([]);
    expect(cache.by('team', 'blue').map(({ metadata }) => metadata.uid)).toEqual(['a-two', 'a-one']);
    expect(cache.list('b')).toEqual([]);
  });

  it('keeps objects of the whole cluster beside those of namespaces', () => {
    const { cache } = setUp();
    cache.set({ metadata: { name: 'team-a' } });
    expect(cache.get({ name: 'team-a' })).not.toBeNull();
    expect(cache.get({ namespace: 'team-a', name: 'team-a' })).toBeNull();
  });

  it('refuses an index that was not declared', () => {
    expect(() => setUp().cache.by('node', 'x')).toThrow('no index node');
  });

  it('tells of what a full list changes, and of nothing else', () => {
    const { cache, changes, told } = setUp();
    for (const name of ['same', 'changed', 'gone']) cache.set(pod('a', name));
    cache.onChange(told);
    cache.replace([pod('a', 'same'), pod('a', 'changed', '2'), pod('a', 'new')]);
    expect(changes).toEqual(['gone:1>-', 'changed:1>2', 'new:->1']);
  });

  it('takes an object that was made anew under its version for another one', () => {
    const { cache, changes, told } = setUp();
    cache.set(pod('a', 'one'));
    cache.onChange(told);
    cache.replace([{ metadata: { ...pod('a', 'one').metadata, uid: 'another' } }]);
    expect(changes).toEqual(['one:1>1']);
  });

  it('tells every listener though another throws, and none that has left', () => {
    const { cache, changes, faults, told } = setUp();
    cache.onChange(() => {
      throw new Error('mine');
    });
    const leave = cache.onChange(told);
    cache.onChange(told);
    cache.set(pod('a', 'one'));
    leave();
    cache.set(pod('a', 'one', '2'));
    expect(changes).toEqual(['one:->1', 'one:->1', 'one:1>2']);
    expect(faults).toHaveLength(2);
  });

  it('keeps an object for which an index throws', () => {
    const faults: unknown[] = [];
    const cache = makeObjectCache<KubeObject>({
      indexes: {
        broken: () => {
          throw new Error('no such field');
        },
      },
      onListenerFault: (error) => faults.push(error),
    });
    cache.set(pod('a', 'one'));
    expect([cache.size, cache.by('broken', 'x'), cache.list('a').length, faults.length]).toEqual([1, [], 1, 1]);
  });
});
