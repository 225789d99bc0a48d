import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKubeConfig } from './kube-config.ts';

const TWO_CONTEXTS = `apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: one, user: u}}
- {name: two, context: {cluster: two, user: u}}
- {name: lost, context: {cluster: missing, user: u}}
clusters:
- {name: one, cluster: {server: 'https://one.test:6443'}}
- {name: two, cluster: {server: 'https://two.test:6443'}}
users:
- {name: u, user: {token: t}}
`;

describe('the kubeconfig', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tollgate-kubeconfig-'));
    file = join(folder, 'config');
    await writeFile(file, TWO_CONTEXTS);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('names the server of its current context, or of the one asked for', () => {
    expect(loadKubeConfig({ kubeconfig: file }).getCurrentCluster()?.server).toBe('https://one.test:6443');
    expect(loadKubeConfig({ kubeconfig: file, context: 'two' }).getCurrentCluster()?.server).toBe(
      'https://two.test:6443',
    );
  });

  it('is refused with its name where it is missing, broken or names no cluster', async () => {
    expect(() => loadKubeConfig({ kubeconfig: join(folder, 'no') })).toThrow(`cannot read the kubeconfig ${folder}/no`);
    expect(() => loadKubeConfig({ kubeconfig: file, context: 'lost' })).toThrow(`no cluster in ${file}: context lost`);
    expect(() => loadKubeConfig({ kubeconfig: file, context: 'three' })).toThrow('context three');
    await writeFile(file, ': [');
    expect(() => loadKubeConfig({ kubeconfig: file })).toThrow('cannot read the kubeconfig');
  });

  it('of a pod is refused outside of one', () => {
    const { KUBERNETES_SERVICE_HOST: host, ...outside } = process.env;
    const inside = process.env;
    process.env = outside;
    try {
      expect(() => loadKubeConfig({ kubeconfig: null })).toThrow('no API server in this pod: run in a pod');
    } finally {
      process.env = inside;
    }
    expect(process.env['KUBERNETES_SERVICE_HOST']).toBe(host);
  });
});
