/** As whom the proxy runs. */
import type { Pod } from './pod.ts';
import type { InjectionSettings } from './settings.ts';

/** The numeric user of the proxy's image. */
export const IMAGE_USER = 65_532;

export interface ProxyUser {
  /** What its container says; null: nothing, so that a platform that assigns users may (OpenShift). */
  readonly stated: number | null;
  readonly effective: number;
}

/** A pod that runs as root by its own word would make the proxy root too, which the proxy's container forbids itself. */
export const proxyUser = ({ spec }: Pod, { runAsUser }: InjectionSettings): ProxyUser => {
  const podUser = spec.securityContext?.runAsUser ?? null;
  const stated = runAsUser ?? (podUser === 0 ? IMAGE_USER : null);
  return { stated, effective: stated ?? podUser ?? IMAGE_USER };
};
