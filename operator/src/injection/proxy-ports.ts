/** Where the proxy of one pod listens. */
import { LINKERD_CONTROL_PORT, LINKERD_PROXY } from './names.ts';
import { containersOf, type Pod } from './pod.ts';
import type { PodSettings } from './pod-settings.ts';

export interface ProxyPorts {
  readonly port: number;
  readonly adminPort: number;
}

/**
 * As set, but for the admin port in a pod of Linkerd's, whose proxy has that very port for its own control: then the one
 * below. Probes and scrapers go by the port's name.
 */
export const portsOf = (pod: Pod, { port, adminPort }: PodSettings): ProxyPorts => {
  const isTaken = adminPort === LINKERD_CONTROL_PORT && containersOf(pod).some(({ name }) => name === LINKERD_PROXY);
  return { port, adminPort: isTaken ? adminPort - (port === adminPort - 1 ? 2 : 1) : adminPort };
};
