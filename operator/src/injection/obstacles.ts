/** What in a pod's own spec makes injection impossible. Where injection is required, the pod is refused for it. */
import type { NamespaceFacts } from './facts.ts';
import { MESH_CONTAINERS, PROXY_CONTAINER, SETTING } from './names.ts';
import { containersOf, type Pod } from './pod.ts';
import type { Skip, SkipReason } from './reasons.ts';
import type { ProxyPorts } from './proxy-ports.ts';

/** Native sidecars: beta and on by default in 1.29, https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/ */
const FIRST_MINOR = 29;

/** The first that applies; null where the pod can be injected. */
export const obstacleOf = (pod: Pod, namespace: NamespaceFacts, ports: ProxyPorts): Skip | null => {
  const { kubernetesMinor } = namespace;
  const taken = takenPort(pod, ports);
  const checks: readonly (readonly [boolean, SkipReason, string])[] = [
    [
      kubernetesMinor !== null && kubernetesMinor < FIRST_MINOR,
      'KubernetesTooOld',
      `the API server is 1.${kubernetesMinor ?? '?'}, and native sidecars need 1.${FIRST_MINOR}`,
    ],
    [
      pod.spec.hostNetwork === true,
      'HostNetwork',
      "the pod is on its node's network, where its proxy would serve every process of the node",
    ],
    [
      pod.spec.os?.name === 'windows' || pod.spec.nodeSelector?.['kubernetes.io/os'] === 'windows',
      'Windows',
      'the proxy runs on Linux only',
    ],
    [!hasApplication(pod), 'NoContainers', 'the pod has no container to meter'],
    [
      taken !== null,
      'PortInUse',
      `container ${taken?.container ?? ''} uses port ${taken?.port ?? ''}, which is the proxy's; choose another with the annotation ${taken?.setting ?? ''}`,
    ],
  ];
  const found = checks.find(([applies]) => applies);
  return found === undefined ? null : { reason: found[1], message: found[2] };
};

const hasApplication = ({ spec }: Pod): boolean =>
  (spec.containers ?? []).some(({ name }) => !MESH_CONTAINERS.has(name) && name !== PROXY_CONTAINER);

interface TakenPort {
  readonly container: string;
  readonly port: number;
  readonly setting: string;
}

const takenPort = (pod: Pod, { port, adminPort }: ProxyPorts): TakenPort | null => {
  for (const container of containersOf(pod)) {
    if (container.name === PROXY_CONTAINER) continue;
    for (const { containerPort } of container.ports ?? []) {
      if (containerPort === port) return { container: container.name, port, setting: SETTING.port };
      if (containerPort === adminPort)
        return { container: container.name, port: adminPort, setting: SETTING.adminPort };
    }
  }
  return null;
};
