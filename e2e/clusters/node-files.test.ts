import { describe, expect, it } from '@jest/globals';
import {
  containerdSettings,
  dnsSettings,
  kubeletSettings,
  podNetwork,
  proxySettings,
  volumeManifests,
} from './node-files.ts';
import { NETWORK, RUN } from './place.ts';

describe('the files of the node', () => {
  it('keep what is written inside the folder that "down" removes', () => {
    const texts = [podNetwork(), containerdSettings(), kubeletSettings(), proxySettings(), dnsSettings()];
    const paths = texts.flatMap((text) =>
      [...text.matchAll(/(?<=["\s])(\/(?!usr\/lib\/cni)[^"\s]+)/g)].map(([path]) => path),
    );
    expect(paths.length).toBeGreaterThan(8);
    expect(paths.filter((path) => !path.startsWith(`${RUN}/`) && !/^\d|^\/0/.test(path))).toEqual([]);
  });

  it('agree on the name server that pods ask, and on their addresses', () => {
    const kubelet = JSON.parse(kubeletSettings()) as { clusterDNS: readonly string[] };
    expect(kubelet.clusterDNS).toEqual([NETWORK.nodeAddress]);
    expect(dnsSettings()).toContain(`bind ${NETWORK.nodeAddress}`);
    const proxy = JSON.parse(proxySettings()) as { clusterCIDR: string };
    expect(podNetwork()).toContain(`"subnet": "${proxy.clusterCIDR}"`);
  });

  it('give each volume a place of its own, and claims a class without asking', () => {
    const { items } = JSON.parse(volumeManifests(2)) as {
      items: readonly { kind: string; metadata: { annotations?: object }; spec?: { hostPath: { path: string } } }[];
    };
    expect(items.map(({ kind }) => kind)).toEqual(['StorageClass', 'PersistentVolume', 'PersistentVolume']);
    expect(items[0]?.metadata.annotations).toEqual({ 'storageclass.kubernetes.io/is-default-class': 'true' });
    expect(new Set(items.slice(1).map(({ spec }) => spec?.hostPath.path)).size).toBe(2);
  });
});
