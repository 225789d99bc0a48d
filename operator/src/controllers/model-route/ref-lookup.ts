/** Looks up what routes refer to, each object once for all that name it, and remembers it for a while. */
import { SECRETS, SERVICES } from '../../kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { KubeFault } from '../../kube/kube-fault.ts';
import type { KubeKind, KubeObject } from '../../kube/kube-object.ts';
import type { ObjectCache } from '../../kube/object-cache.ts';
import type { KServeAddress } from '../../programming/inference-targets.ts';
import { statusFields } from '../stored-status.ts';
import { targetKey, type Resolution, type Target } from './targets.ts';

export interface RefLookup {
  resolve(targets: readonly Target[], namespace: string, signal: AbortSignal): Promise<ReadonlyMap<string, Resolution>>;
}

export interface RefLookupDeps {
  readonly api: Pick<KubeApi, 'get'>;
  readonly services: ObjectCache<KubeObject>;
  readonly kserve: () => readonly KServeAddress[];
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** What was found stays for minutes; what was not, for moments: somebody is about to make it. */
const FOUND_MS = 300_000;
const MISSING_MS = 10_000;

export const makeRefLookup = ({ api, services, kserve, clock }: RefLookupDeps): RefLookup => {
  const known = new Map<string, { readonly resolution: Resolution; readonly until: number }>();

  const ask = async (kind: KubeKind, namespace: string, name: string, signal: AbortSignal): Promise<Resolution> => {
    try {
      const object = await api.get(kind, { namespace, name }, { signal, metadataOnly: true });
      return object === null ? { state: 'missing' } : { state: 'found', url: null };
    } catch (error) {
      if (error instanceof KubeFault && error.status === 403) return { state: 'hidden' };
      throw error;
    }
  };
  const asked = async (kind: KubeKind, namespace: string, name: string, signal: AbortSignal): Promise<Resolution> => {
    const key = `${kind.kind} ${namespace}/${name}`;
    const former = known.get(key);
    if (former !== undefined && former.until > clock()) return former.resolution;
    const resolution = await ask(kind, namespace, name, signal);
    for (const [other, { until }] of known) if (until <= clock()) known.delete(other);
    known.set(key, { resolution, until: clock() + (resolution.state === 'found' ? FOUND_MS : MISSING_MS) });
    return resolution;
  };
  const one = async (target: Target, namespace: string, signal: AbortSignal): Promise<Resolution> => {
    switch (target.kind) {
      case 'Provider':
        return { state: 'found', url: null };
      case 'Secret':
        return asked(SECRETS, namespace, target.name, signal);
      case 'Service':
        return asked(SERVICES, namespace, target.name, signal);
      case 'LLMInferenceService': {
        const service = services.get({ namespace, name: target.name });
        if (service === null) return { state: 'missing' };
        const { url } = statusFields(service);
        return typeof url === 'string' ? { state: 'found', url } : { state: 'no address' };
      }
      case 'KServe': {
        const service = kserve().find((each) => each.namespace === namespace && each.name === target.name);
        if (service === undefined) return { state: 'missing' };
        return service.url === null ? { state: 'no address' } : { state: 'found', url: service.url };
      }
      default:
        return target satisfies never;
    }
  };
  return {
    resolve: async (targets, namespace, signal) => {
      const resolutions = new Map<string, Resolution>();
      for (const target of targets) resolutions.set(targetKey(target), await one(target, namespace, signal));
      return resolutions;
    },
  };
};
