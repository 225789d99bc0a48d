/** The reading half of the API for tests with a fake clock: lists answer what the test says, watches tell what it feeds. */
import type { KubeList, ListQuery, WatchEvent, WatchQuery } from '../kube-api.ts';
import type { KubeObject } from '../kube-object.ts';

export interface ScriptedWatch {
  readonly query: WatchQuery;
  isOver(): boolean;
  feed(event: WatchEvent<KubeObject>): void;
  end(): void;
  fail(error: unknown): void;
}

export const makeScriptedApi = () => {
  const lists: ListQuery[] = [];
  const watches: ScriptedWatch[] = [];
  const answers: ((query: ListQuery) => KubeList<KubeObject>)[] = [];
  let fallback = (_query: ListQuery): KubeList<KubeObject> => ({ items: [], resourceVersion: '1', continue: null });

  const open = (query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<KubeObject>> => {
    const waiting: (() => WatchEvent<KubeObject> | null)[] = [];
    let wake = (): void => undefined;
    let isOver = false;
    const push = (act: () => WatchEvent<KubeObject> | null): void => {
      waiting.push(act);
      wake();
    };
    const fail = (error: unknown): void =>
      push(() => {
        throw error;
      });
    signal.addEventListener('abort', () => {
      waiting.length = 0;
      fail(signal.reason);
    });
    watches.push({
      query,
      isOver: () => isOver,
      feed: (event) => push(() => event),
      end: () => push(() => null),
      fail,
    });
    return (async function* events() {
      try {
        for (;;) {
          while (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
          const event = waiting.shift()?.() ?? null;
          if (event === null) return;
          yield event;
        }
      } finally {
        isOver = true;
      }
    })();
  };

  return {
    lists,
    watches,
    /** The next list, or page, answers so. */
    answer: (act: (query: ListQuery) => KubeList<KubeObject>) => void answers.push(act),
    /** All further ones. */
    answerAlways: (act: (query: ListQuery) => KubeList<KubeObject>) => void (fallback = act),
    last: (): ScriptedWatch => {
      const watch = watches.at(-1);
      if (watch === undefined) throw new Error('no watch was opened');
      return watch;
    },
    api: {
      list: async <T extends KubeObject>(_kind: unknown, query: ListQuery) => {
        lists.push(query);
        return (answers.shift() ?? fallback)(query) as KubeList<T>;
      },
      watch: <T extends KubeObject>(_kind: unknown, query: WatchQuery, signal: AbortSignal) =>
        open(query, signal) as AsyncIterable<WatchEvent<T>>,
    },
  };
};
