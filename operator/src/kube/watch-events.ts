/** One watch: from the server's lines to events. */
import type { IncomingMessage } from 'node:http';
import type { Timers } from '@tollgate/runtime';
import { readLines } from './answer-body.ts';
import type { WatchEvent, WatchQuery } from './kube-api.ts';
import { connectionFault, makeDeadline, type KubeRequest } from './kube-connection.ts';
import { faultOfStatus, KubeFault } from './kube-fault.ts';
import type { KubeKind, KubeObject } from './kube-object.ts';
import { kindPath, objectHeaders, watchSearch } from './kube-path.ts';

export interface WatchDeps {
  /** The head of a good answer; throws for any other. */
  readonly answer: (request: KubeRequest) => Promise<IncomingMessage>;
  readonly timers: Timers;
  /** Until the head; afterwards silence is the reader's to judge. */
  readonly timeoutMs: number;
}

export async function* watchEvents<T extends KubeObject>(
  { answer, timers, timeoutMs }: WatchDeps,
  kind: KubeKind,
  query: WatchQuery,
  outer: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const what = `watch ${kind.kind}`;
  const { signal, met, end } = makeDeadline(what, timeoutMs, timers, outer);
  let body: IncomingMessage | null = null;
  try {
    signal.throwIfAborted();
    const path = kindPath(kind, query.namespace) + watchSearch(query);
    body = await answer({ what, method: 'GET', path, headers: objectHeaders(query), signal });
    met();
    yield { type: 'OPENED' };
    for await (const line of readLines(body)) {
      const event = eventOf<T>(what, line);
      if (event !== null) yield event;
    }
  } catch (error) {
    throw connectionFault(what, error, signal);
  } finally {
    end();
    body?.destroy();
  }
}

interface Line<T> {
  readonly type?: string;
  readonly object?: T;
}

/** Null for a type that a later server may add. */
const eventOf = <T extends KubeObject>(what: string, line: string): WatchEvent<T> | null => {
  const { type, object } = parseLine<T>(what, line);
  if (type === 'ERROR') throw faultOfStatus(what, object);
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED' && type !== 'BOOKMARK') return null;
  // Typed as present, but it is the server's word.
  const resourceVersion = (object as Partial<T> | undefined)?.metadata?.resourceVersion;
  if (object === undefined || resourceVersion === undefined) throw notAnEvent(what, null);
  return type === 'BOOKMARK' ? { type, resourceVersion } : { type, object };
};

const parseLine = <T>(what: string, line: string): Line<T> => {
  try {
    return JSON.parse(line) as Line<T>;
  } catch (cause) {
    throw notAnEvent(what, cause);
  }
};

const notAnEvent = (what: string, cause: unknown): KubeFault =>
  new KubeFault({
    status: 200,
    reason: 'NotAnEvent',
    message: `${what}: a line is not an event with an object and its resource version`,
    cause,
  });
