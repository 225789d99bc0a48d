/** The API server, for other programs of ours that ask it: plain calls on objects of any kind. */
export { requestAccountToken } from './account-token.ts';
export { readText } from './answer-body.ts';
export { forwardPort, type ForwardedPort } from './forwarded-port.ts';
export type { Applied, KubeApi, Selection } from './kube-api.ts';
export { makeKubeClient } from './kube-client.ts';
export { makeKubeConnection, type KubeConnection } from './kube-connection.ts';
export { isConflict, isNotFound, isUnreachable, KubeFault } from './kube-fault.ts';
export { keyOf, type KubeKind, type KubeMeta, type KubeObject, type ObjectName } from './kube-object.ts';
export { LEASE_KIND, type Lease } from './lease.ts';
export { listAll } from './list-all.ts';
export { loadUserKubeConfig, type UserKubeConfig, type UserKubeConfigSource } from './user-kube-config.ts';
