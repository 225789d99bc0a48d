/** All objects of a kind, page by page: of none is more kept than the caller asks for. */
import type { KubeApi, KubeList, Selection } from './kube-api.ts';
import { isExpired } from './kube-fault.ts';
import type { KubeKind, KubeObject } from './kube-object.ts';

export interface ListAllOptions<T extends KubeObject, R> {
  readonly api: Pick<KubeApi, 'list'>;
  readonly kind: KubeKind;
  readonly selection: Selection;
  readonly signal: AbortSignal;
  /** What to keep of an object; undefined leaves it out. */
  readonly keep: (object: T) => R | undefined;
  /** A page came. */
  readonly onPage?: () => void;
}

export interface FullList<R> {
  readonly items: readonly R[];
  readonly resourceVersion: string;
}

const PAGE = 500;

/**
 * A list whose next page the server no longer has (pages last as long as its history, some minutes) is read again in one
 * piece: paged again it could expire for ever.
 *
 * @throws KubeFault, or the reason of `signal`.
 */
export const listAll = async <T extends KubeObject, R>(options: ListAllOptions<T, R>): Promise<FullList<R>> => {
  try {
    return await readPages(options, PAGE);
  } catch (error) {
    if (!isExpired(error)) throw error;
    return await readPages(options, null);
  }
};

const readPages = async <T extends KubeObject, R>(
  { api, kind, selection, signal, keep, onPage }: ListAllOptions<T, R>,
  limit: number | null,
): Promise<FullList<R>> => {
  const items: R[] = [];
  const paging = limit === null ? {} : { limit };
  for (let next: string | null = ''; ;) {
    const query = { ...selection, ...paging, ...(next === '' ? {} : { continue: next }) };
    const page: KubeList<T> = await api.list<T>(kind, query, { signal });
    onPage?.();
    for (const object of page.items) {
      const kept = keep(object);
      if (kept !== undefined) items.push(kept);
    }
    if (page.continue === null) return { items, resourceVersion: page.resourceVersion };
    next = page.continue;
  }
};
