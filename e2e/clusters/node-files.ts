/** The settings of what runs on the node, as texts. Pure. JSON stands for YAML, which it is a part of. */
import { ADMIN_KUBECONFIG, CONTAINERD_SOCKET, NETWORK, NODE_NAME, PAUSE_IMAGE, runPath } from './place.ts';

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Where Debian puts the plugins. */
export const CNI_PLUGINS = '/usr/lib/cni';

export const podNetwork = (): string =>
  json({
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: NETWORK.bridge,
        isGateway: true,
        ipMasq: true,
        // A pod that calls a Service may be answered by itself.
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: runPath('cni-addresses'),
          ranges: [[{ subnet: NETWORK.podCidr, gateway: NETWORK.nodeAddress }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });

const CRI = 'plugins."io.containerd.grpc.v1.cri"';

export const containerdSettings = (): string =>
  [
    'version = 2',
    `root = "${runPath('containerd')}"`,
    `state = "${runPath('containerd-state')}"`,
    '[grpc]',
    `address = "${CONTAINERD_SOCKET}"`,
    '[plugins."io.containerd.internal.v1.opt"]',
    `path = "${runPath('containerd-opt')}"`,
    `[${CRI}]`,
    `sandbox_image = "${PAUSE_IMAGE}"`,
    // Where CAP_SYS_RESOURCE is missing, a lower score of the sandbox cannot be set, and no pod would start.
    'restrict_oom_score_adj = true',
    // Not among the machine's own: what is left after a crash is found, and is ours.
    'netns_mounts_under_state_dir = true',
    `[${CRI}.cni]`,
    `bin_dir = "${CNI_PLUGINS}"`,
    `conf_dir = "${runPath('cni')}"`,
    '',
  ].join('\n');

export const kubeletSettings = (): string =>
  json({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    address: NETWORK.nodeAddress,
    cgroupDriver: 'cgroupfs',
    // A developer's machine may still have version 1, and swap.
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: runPath('pki', 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    clusterDomain: 'cluster.local',
    clusterDNS: [NETWORK.nodeAddress],
    podLogsDir: runPath('pod-logs'),
    // The disk is the machine's: that it is full is its owner's matter, and images that no registry has are not thrown away.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    // Tests wait for what changes: ConfigMaps and Secrets arrive in seconds and not in a minute.
    syncFrequency: '10s',
    configMapAndSecretChangeDetectionStrategy: 'Watch',
  });

export const proxySettings = (): string =>
  json({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig: runPath('proxy.kubeconfig') },
    clusterCIDR: NETWORK.podCidr,
    hostnameOverride: NODE_NAME,
    bindAddress: NETWORK.nodeAddress,
    // These are the machine's and not the namespace's to set.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    iptables: { minSyncPeriod: '0s' },
  });

/** Names of the cluster; no other name exists, and that is said at once. */
export const dnsSettings = (): string =>
  [
    'cluster.local:53 {',
    `  bind ${NETWORK.nodeAddress}`,
    '  errors',
    '  kubernetes cluster.local {',
    `    kubeconfig ${ADMIN_KUBECONFIG}`,
    // A Service that was made this second is asked for in the next.
    '    ttl 1',
    '  }',
    '}',
    '.:53 {',
    `  bind ${NETWORK.nodeAddress}`,
    '  errors',
    '  template ANY ANY {',
    '    rcode NXDOMAIN',
    '  }',
    '}',
    '',
  ].join('\n');

/** Volumes that claims find without asking for a class, as on most clusters. */
export const volumeManifests = (count: number): string =>
  json({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: {
          name: 'node-disk',
          annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
        },
        provisioner: 'kubernetes.io/no-provisioner',
        volumeBindingMode: 'WaitForFirstConsumer',
      },
      ...Array.from({ length: count }, (_, index) => ({
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: `node-disk-${String(index)}` },
        spec: {
          storageClassName: 'node-disk',
          capacity: { storage: '100Gi' },
          accessModes: ['ReadWriteOnce'],
          persistentVolumeReclaimPolicy: 'Retain',
          hostPath: { path: volumePath(index), type: 'Directory' },
        },
      })),
    ],
  });

export const volumePath = (index: number): string => runPath('volumes', String(index));
