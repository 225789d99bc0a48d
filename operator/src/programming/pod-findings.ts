/**
 * What the server knows of pods that carry the proxy and do not use it, or not for all of their calls: asked now and then,
 * since nothing depends on hearing it at once. While the server is away the last answer stays.
 */
import type { Logger, Timers } from '@tollgate/runtime';
import { keyOf } from '../kube/kube-object.ts';
import type { ServerClient } from './server-client.ts';
import { ServerFault } from './server-fault.ts';
import type { PodFinding } from './server-views.ts';

export interface PodFindings {
  of(key: string): PodFinding | null;
  stop(): Promise<void>;
}

export interface PodFindingsDeps {
  readonly client: Pick<ServerClient, 'podFindings'>;
  /** Milliseconds from one answer to the next question. */
  readonly intervalMs: number;
  readonly timers: Timers;
  readonly log: Logger;
  /** After each answer: the pods that it names, and those that the one before named. */
  readonly onAnswer: (keys: readonly string[]) => void;
}

export const startPodFindings = ({ client, intervalMs, timers, log, onAnswer }: PodFindingsDeps): PodFindings => {
  let found: ReadonlyMap<string, PodFinding> = new Map();
  let isStopped = false;
  let isFailing = false;
  let cancel: () => void = () => undefined;
  let running: Promise<void> | null = null;

  const ask = async (): Promise<void> => {
    const { pods } = await client.podFindings();
    isFailing = false;
    if (isStopped) return;
    const before = found;
    found = new Map(pods.map((pod) => [keyOf(pod), pod]));
    onAnswer([...new Set([...before.keys(), ...found.keys()])]);
  };
  const run = (): void => {
    running = ask()
      .catch((err: unknown) => {
        // A server of an earlier version knows no such question, and one that is away is told of elsewhere.
        const isTold = err instanceof ServerFault && (err.status === null || err.status === 404);
        if (!isFailing && !isTold && !isStopped) log.warn({ err }, 'what pods do past their proxy cannot be asked');
        isFailing = true;
      })
      .then(() => {
        running = null;
        if (!isStopped) cancel = timers.after(intervalMs, run);
      });
  };

  run();
  return {
    of: (key) => found.get(key) ?? null,
    stop: async () => {
      isStopped = true;
      cancel();
      await running;
    },
  };
};
