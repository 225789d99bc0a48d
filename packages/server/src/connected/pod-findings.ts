import type { DirectConnections } from '@tollgate/ledger';
import type { ConnectedProxy, Store } from '@tollgate/store';

/** What is odd about a pod whose proxy is connected. */
export interface PodFinding {
  readonly namespace: string;
  readonly name: string;
  /** No call of it was ever recorded. How old it is, is for who reads this to look up. */
  readonly isSilent: boolean;
  /** Connections to providers past its proxy. */
  readonly direct: readonly DirectConnections[];
}

/** Of pods with neither nothing is said. Proxies that are in no pod are left out. */
export const podFindings = async (
  proxies: readonly Pick<ConnectedProxy, 'subject' | 'direct'>[],
  store: Pick<Store, 'silentPods'>,
): Promise<readonly PodFinding[]> => {
  const pods = proxies.flatMap(({ subject: { namespace, pod }, direct }) =>
    pod === undefined ? [] : [{ namespace, name: pod, direct: direct ?? [] }],
  );
  const silent = new Set((await store.silentPods(pods)).map(keyOf));
  return pods
    .map((pod) => ({ ...pod, isSilent: silent.has(keyOf(pod)) }))
    .filter(({ isSilent, direct }) => isSilent || direct.length > 0);
};

const keyOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`;
