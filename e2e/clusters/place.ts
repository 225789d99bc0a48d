/** Where the one-node cluster lives: its folder, its network namespace, its addresses. Pure but for the cache's name. */
import { join } from 'node:path';
import { clusterCache } from '@tollgate/testkit/kubernetes';

/**
 * The cluster has a network namespace of its own. Its routes, bridges and packet filter rules are seen by nobody else and
 * go with it; another cluster on the same machine may use the same ports and addresses inside its own.
 */
export const NETWORK = {
  namespace: 'tollgate-cluster',
  /** A cable from the machine into it: tests on the machine reach pods, Services and the API server, and pods reach tests. */
  cable: { outside: 'tollgate-node', inside: 'uplink' },
  hostAddress: '10.231.255.1',
  uplinkAddress: '10.231.255.2',
  /** The bridge that pods hang on. A loopback address could not be advertised to them. */
  bridge: 'pods',
  nodeAddress: '10.231.0.1',
  podCidr: '10.231.0.0/24',
  serviceCidr: '10.232.0.0/16',
  kubernetesService: '10.232.0.1',
} as const;

export const NODE_NAME = 'tollgate-node';
export const API_PORT = 6443;
export const API_URL = `https://${NETWORK.nodeAddress}:${String(API_PORT)}`;
export const ETCD_URL = 'http://127.0.0.1:2379';
export const ETCD_PEER_URL = 'http://127.0.0.1:2380';
export const PAUSE_IMAGE = 'localhost/tollgate-pause:1';

/** Gone when the cluster is: nothing in here outlives `down`. */
export const RUN = join(clusterCache(), 'run');
export const ADMIN_KUBECONFIG = join(RUN, 'admin.kubeconfig');
export const CONTAINERD_SOCKET = join(RUN, 'containerd.sock');

export const runPath = (...parts: readonly string[]): string => join(RUN, ...parts);
