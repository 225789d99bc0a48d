/** Follows the snapshot stream: reconnects for as long as it is wanted, and notices a stream that went silent. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot } from '@tollgate/api';
import type { CounterName } from '../counter.ts';
import type { CallerName } from '../session.ts';
import { encodeCallerName } from '../wire/caller-wire.ts';
import { decodeStreamLine } from '../wire/stream-wire.ts';
import { makeBackoff } from '../escrow/retry.ts';
import type { LedgerClient } from './ledger-client.ts';
import { makeNdjsonLines } from './ndjson-lines.ts';

export interface SnapshotWatch {
  readonly instance: string;
  /** Of a gateway: what this caller of it needs, and no recalls. */
  readonly caller?: CallerName;
  readonly onSnapshot: (snapshot: Snapshot) => void;
  /** Others wait for these counters. */
  readonly onRecall?: (counters: readonly CounterName[]) => void;
  /** The server leases from this epoch; told with each heartbeat. */
  readonly onEpoch?: (epoch: string) => void;
  /** Any line came: the control plane is there. */
  readonly onLine?: () => void;
  /** The stream broke, or a line could not be used; it goes on by itself. */
  readonly onFault?: (fault: unknown) => void;
  readonly signal: AbortSignal;
}

export interface SnapshotWatchDeps {
  readonly client: Pick<LedgerClient, 'stream'>;
  readonly random: () => number;
  readonly connectMs: number;
  /** The server writes at least every 10 s. */
  readonly silenceMs: number;
  readonly firstPauseMs: number;
  readonly mostPauseMs: number;
}

const MAX_LINE = 32 << 20;

/** Resolves when the signal is aborted, never before. */
export const watchSnapshots = async (deps: SnapshotWatchDeps, watch: SnapshotWatch): Promise<void> => {
  const { signal, onFault } = watch;
  const backoff = makeBackoff(deps.firstPauseMs, deps.mostPauseMs, deps.random);
  while (!signal.aborted) {
    try {
      await follow(deps, watch, backoff.reset);
    } catch (fault) {
      if (!signal.aborted) onFault?.(fault);
    }
    await sleep(backoff.next(), undefined, { signal }).catch(() => undefined);
  }
};

const follow = async (deps: SnapshotWatchDeps, watch: SnapshotWatch, onAlive: () => void): Promise<void> => {
  const { instance, caller, signal } = watch;
  const whose = caller === undefined ? '' : `&caller=${encodeURIComponent(encodeCallerName(caller))}`;
  const path = `/v1/snapshots?instance=${encodeURIComponent(instance)}${whose}`;
  const answer = await deps.client.stream(path, deps.connectMs, signal);
  const goneSilent = (): void => {
    answer.destroy(new Error(`the snapshot stream was silent for ${String(deps.silenceMs)} ms`));
  };
  let silence = setTimeout(goneSilent, deps.silenceMs);
  try {
    const lines = makeNdjsonLines(MAX_LINE);
    for await (const chunk of answer.iterator({ destroyOnReturn: true })) {
      clearTimeout(silence);
      silence = setTimeout(goneSilent, deps.silenceMs);
      if (!Buffer.isBuffer(chunk)) continue;
      for (const line of lines.push(chunk)) {
        onAlive();
        use(line, watch);
      }
    }
    throw new Error('the snapshot stream ended');
  } finally {
    clearTimeout(silence);
    answer.destroy();
  }
};

/** A line that cannot be read, such as a later contract's snapshot, leaves the former one in force. */
const use = (text: string, { onSnapshot, onRecall, onEpoch, onLine, onFault }: SnapshotWatch): void => {
  onLine?.();
  try {
    const line = decodeStreamLine(text);
    if (line?.kind === 'snapshot') onSnapshot(line.snapshot);
    if (line?.kind === 'recall') onRecall?.(line.counters);
    if (line?.kind === 'ping' && line.epoch !== null) onEpoch?.(line.epoch);
  } catch (fault) {
    onFault?.(fault);
  }
};
