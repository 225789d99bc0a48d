/** Looks at whole pods that lack the proxy, which are watched by their metadata alone: would they be injected if made again? */
import type { NamespaceMode } from '../../injection/facts.ts';
import { lastingObstacle } from '../../injection/lasting-obstacle.ts';
import type { InjectionSettings } from '../../injection/settings.ts';
import { PODS } from '../../kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Prospect } from './missing-notes.ts';
import type { WatchedPod } from './watched-pod.ts';

/** Rejects where the API server does not answer. */
export type AskProspect = (pod: WatchedPod, mode: NamespaceMode | null, signal: AbortSignal) => Promise<Prospect>;

export interface ProspectsDeps {
  readonly api: Pick<KubeApi, 'list'>;
  /** Null: nobody knows how pods are injected. */
  readonly settings: InjectionSettings | null;
}

/** Whole namespaces may come to ask at once: of the pods of one template one is asked for. */
const MOST_KNOWN = 1_000;

export const makeProspects = ({ api, settings }: ProspectsDeps): AskProspect => {
  const known = new Map<string, Prospect>();
  return async (pod, mode, signal) => {
    if (settings === null) return 'unknown';
    const key = `${templateOf(pod)} ${mode ?? ''}`;
    const former = known.get(key);
    if (former !== undefined) return former;
    const { namespace = '', name } = pod.metadata;
    // A list, since to get single pods the operator would need one more right.
    const query = { namespace, fieldSelector: `metadata.name=${name}` };
    const [whole] = (await api.list(PODS, query, { signal })).items;
    if (whole === undefined) return 'unknown';
    // Its keys of routes and the version of the API server are the injector's to know: they decide rare cases alone.
    const facts = { name: namespace, mode, routeKeys: [], kubernetesMinor: null };
    const prospect = lastingObstacle(whole, facts, settings);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, prospect);
    return prospect;
  };
};

/** Pods of one owner and one revision are made alike. */
const templateOf = ({ metadata: { uid = '', labels = {}, ownerReferences = [] } }: WatchedPod): string => {
  const [owner] = ownerReferences;
  return owner === undefined ? uid : `${owner.uid} ${labels['controller-revision-hash'] ?? ''}`;
};
