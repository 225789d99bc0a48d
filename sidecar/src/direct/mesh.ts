/**
 * A service mesh takes over the connections of a pod, the proxy's own among them, and dials anew from within the pod's
 * network: whose call such a connection carries cannot be told. Pure.
 */

/** Outbound listeners of Istio, Kuma and Consul; Istio's ambient mode; Linkerd. */
const MESH_PORTS = [15001, 15008, 4140];

export const hasMesh = (listening: ReadonlySet<number>): boolean => MESH_PORTS.some((port) => listening.has(port));
