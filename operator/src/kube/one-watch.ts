/** One watch, from its opening to its end, which silence is too. */
import type { Timers } from '@tollgate/runtime';
import type { KubeApi, WatchEvent, WatchQuery } from './kube-api.ts';
import { isExpired, KubeFault } from './kube-fault.ts';
import type { KubeKind, KubeObject } from './kube-object.ts';

/**
 * closed: by the server, in good order. silent: nothing came for too long. missed: given up since it had lost events.
 * expired: its resource version is of no use any more. refused: not opened. broken: the connection, or a server in trouble.
 */
export type WatchEnd = 'closed' | 'silent' | 'missed' | 'expired' | 'refused' | 'broken';

export interface OneWatchOptions<T extends KubeObject> {
  readonly api: Pick<KubeApi, 'watch'>;
  readonly kind: KubeKind;
  readonly query: WatchQuery;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: WatchEvent<T>) => void;
  /** The watch is open: what is started here ends with `signal`, and may give the watch up. */
  readonly onOpen: (watching: OpenWatch) => void;
}

export interface OpenWatch {
  /** Aborts when the watch is over. */
  readonly signal: AbortSignal;
  giveUp(): void;
}

export interface WatchReport {
  readonly end: WatchEnd;
  /** Null where it was closed or given up. */
  readonly error: unknown;
  /** It brought something, or lasted. */
  readonly hasWorked: boolean;
}

/**
 * A quiet watch brings a bookmark about once a minute where anything ever changed; one that brings nothing may be a dead
 * connection, and opening another one costs nothing.
 */
const SILENCE_MS = 90_000;
/** A watch that lasted so long worked, though it brought nothing. */
const LASTED_MS = 10_000;

/** Never rejects; where the signal aborts, the report means nothing. */
export const runWatch = async <T extends KubeObject>({
  api,
  kind,
  query,
  timers,
  clock,
  signal,
  onEvent,
  onOpen,
}: OneWatchOptions<T>): Promise<WatchReport> => {
  const own = new AbortController();
  const follow = (): void => own.abort(signal.reason);
  const giveUp = (end: 'silent' | 'missed'): void => own.abort(new GivenUp(end));
  const openedAt = clock();
  let lastAt = openedAt;
  let hasOpened = false;
  let hasWorked = false;
  // One timer for all events: a busy watch only notes the time.
  const listen = (ms: number): (() => void) =>
    timers.after(ms, () => {
      const leftMs = lastAt + SILENCE_MS - clock();
      if (leftMs <= 0) giveUp('silent');
      else cancelListening = listen(leftMs);
    });
  let cancelListening = listen(SILENCE_MS);
  const report = (end: WatchEnd, error: unknown): WatchReport => ({
    end,
    error,
    hasWorked: hasWorked || (hasOpened && clock() - openedAt >= LASTED_MS),
  });

  signal.addEventListener('abort', follow, { once: true });
  if (signal.aborted) follow();
  try {
    for await (const event of api.watch<T>(kind, query, own.signal)) {
      lastAt = clock();
      if (event.type === 'OPENED') {
        hasOpened = true;
        onOpen({ signal: own.signal, giveUp: () => giveUp('missed') });
      } else hasWorked = true;
      onEvent(event);
    }
    return report('closed', null);
  } catch (error) {
    return error instanceof GivenUp ? report(error.end, null) : report(endOf(error, hasOpened), error);
  } finally {
    cancelListening();
    signal.removeEventListener('abort', follow);
    own.abort(new Error('the watch is over'));
  }
};

class GivenUp extends Error {
  override readonly name = 'GivenUp';
  readonly end: 'silent' | 'missed';
  constructor(end: 'silent' | 'missed') {
    super(`the watch was given up: ${end}`);
    this.end = end;
  }
}

const endOf = (error: unknown, hasOpened: boolean): WatchEnd => {
  if (!(error instanceof KubeFault) || error.status === 0) return 'broken';
  // Whatever an ERROR event says, the events between the last one and the next are not certain to come.
  if (isExpired(error) || hasOpened) return 'expired';
  return error.status === 429 || error.status >= 500 ? 'broken' : 'refused';
};
