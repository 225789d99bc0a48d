import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadUserKubeConfig } from './user-kube-config.ts';

const fileOf = (name: string, namespace: string | null, current = name): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current,
    clusters: [{ name, cluster: { server: `https://${name}.test:6443` } }],
    contexts: [{ name, context: { cluster: name, user: name, ...(namespace === null ? {} : { namespace }) } }],
    users: [{ name, user: { token: 't' } }],
  });

describe('the cluster that a person means', () => {
  let home: string;
  const put = async (name: string, text: string): Promise<string> => {
    const path = join(home, name);
    await writeFile(path, text);
    return path;
  };
  const serverOf = (source: Partial<Parameters<typeof loadUserKubeConfig>[0]>): string => {
    const { config, namespace } = loadUserKubeConfig({ files: undefined, home, ...source });
    return `${config.getCurrentCluster()?.server ?? ''} ${namespace}`;
  };
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'tollgate-home-'));
    await mkdir(join(home, '.kube'));
    await put('.kube/config', fileOf('home', 'shop'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('is that of ~/.kube/config, with its namespace', () => {
    expect(serverOf({})).toBe('https://home.test:6443 shop');
  });

  it('is that of KUBECONFIG where it is set: the first file with a current context, and contexts of all of them', async () => {
    const files = [join(home, 'gone'), await put('a', fileOf('a', null, '')), await put('b', fileOf('b', 'b'))];
    expect(serverOf({ files: files.join(delimiter) })).toBe('https://b.test:6443 b');
    expect(serverOf({ files: files.join(delimiter), context: 'a' })).toBe('https://a.test:6443 default');
  });

  it('lets the first file win where two use a name', async () => {
    const first = await put('first', fileOf('same', 'first'));
    const second = await put('second', fileOf('same', 'second').replaceAll('.test:', '.other:'));
    expect(serverOf({ files: [first, second].join(delimiter) })).toBe('https://same.test:6443 first');
  });

  it('is that of the file that is named, and of no other', async () => {
    const file = await put('named', fileOf('named', null));
    expect(serverOf({ kubeconfig: file, files: join(home, '.kube/config') })).toBe('https://named.test:6443 default');
  });

  it('says what is wrong where there is none', async () => {
    expect(() => serverOf({ kubeconfig: join(home, 'no') })).toThrow(`cannot read the kubeconfig ${home}/no`);
    expect(() => serverOf({ context: 'lost' })).toThrow('context lost is missing');
    await rm(join(home, '.kube'), { recursive: true });
    expect(() => serverOf({})).toThrow('no kubeconfig: none is named by --kubeconfig or KUBECONFIG');
  });
});
