/** What is worth an event about a pod that carries the proxy, from what the server knows of it. Pure. */
import type { KubeMeta } from '../../kube/kube-object.ts';
import type { PodFinding } from '../../programming/server-views.ts';

export const DIRECT_CONNECTION = 'DirectProviderConnection';
export const PROXY_UNUSED = 'ProxyUnused';

export interface UseNote {
  readonly type: 'Normal' | 'Warning';
  readonly reason: typeof DIRECT_CONNECTION | typeof PROXY_UNUSED;
  readonly note: string;
  /** Said once of a pod for each of these. */
  readonly about: string;
}

export interface UseContext {
  /** Of the pod, in milliseconds; null: not known. */
  readonly ageMs: number | null;
  /** From what age on a pod that never called is told of. */
  readonly unusedAfterMs: number;
}

export const callsDirectly = (finding: PodFinding | null): boolean => (finding?.direct.length ?? 0) > 0;

/** None of its calls was ever recorded, and it has had the time for one. */
export const isUnused = ({ isSilent }: PodFinding, { ageMs, unusedAfterMs }: UseContext): boolean =>
  isSilent && ageMs !== null && ageMs >= unusedAfterMs;

/** Null: its metadata does not tell. */
export const podAgeMs = ({ creationTimestamp }: Pick<KubeMeta, 'creationTimestamp'>, now: number): number | null => {
  const born = Date.parse(creationTimestamp ?? '');
  return Number.isNaN(born) ? null : now - born;
};

export const useNotes = (finding: PodFinding, context: UseContext): readonly UseNote[] => {
  const { ageMs } = context;
  const direct = finding.direct.map(({ host, count }): UseNote => ({
    type: 'Warning',
    reason: DIRECT_CONNECTION,
    note:
      `A container of the pod has ${count === 1 ? 'a connection' : `${count} connections`} to ${host} past the proxy: ` +
      'such calls are not metered and no budget holds them. Take away what sets another base URL than that of its ' +
      'environment, and the key of the provider, which the proxy can hold instead.',
    about: host,
  }));
  if (ageMs === null || !isUnused(finding, context)) return direct;
  const unused: UseNote = {
    type: 'Normal',
    reason: PROXY_UNUSED,
    note:
      `In ${spanOf(ageMs)} no call of the pod has been recorded. If it does call a model, it does so past the proxy: ` +
      'see whether its SDK takes the base URL from its environment. If it never does, it needs no proxy.',
    about: '',
  };
  return [...direct, unused];
};

const MINUTE_MS = 60_000;

const spanOf = (ms: number): string => {
  const minutes = Math.floor(ms / MINUTE_MS);
  if (minutes < 120) return minutes === 1 ? '1 minute' : `${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.floor(hours / 24)} days`;
};
