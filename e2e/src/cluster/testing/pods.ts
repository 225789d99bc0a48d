/** The pods of an application that live and stay, and the proxy in each. */
import { getJson } from './kubectl.ts';

interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly initContainers?: readonly { readonly name: string }[] };
  readonly status: {
    readonly phase: string;
    readonly initContainerStatuses?: readonly {
      readonly name: string;
      readonly ready: boolean;
      readonly restartCount: number;
    }[];
  };
}

export interface AppPod {
  readonly name: string;
  readonly proxy: { readonly index: number; readonly ready: boolean; readonly restarts: number } | null;
}

const PROXY = 'tollgate-proxy';

export const podsOf = async (namespace: string, app: string): Promise<readonly AppPod[]> => {
  const { items } = await getJson<{ items: readonly PodObject[] }>('get', 'pods', '-n', namespace, '-l', `app=${app}`);
  return items
    .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === 'Running')
    .map(({ metadata, spec, status }) => {
      const index = (spec.initContainers ?? []).findIndex(({ name }) => name === PROXY);
      const said = status.initContainerStatuses?.find(({ name }) => name === PROXY);
      const proxy = { index, ready: said?.ready ?? false, restarts: said?.restartCount ?? 0 };
      return { name: metadata.name, proxy: index < 0 ? null : proxy };
    });
};
