import type { Subject } from '@tollgate/api';
import type { DegradedReason, DirectConnections, FollowedPolicy } from '@tollgate/ledger';
import type { ProxyRunning } from '@tollgate/store';

/** The proxies that are alive now: seen within the last half minute, or on the snapshot stream. */
export interface Proxies {
  /** `subject`, and the UID by which its pod is to be among those that carry the proxy, where they are told anew. */
  saw(instance: string, subject?: Subject, podUid?: string | null): void;
  /** What it said at its hello to this server: its own version, and the pool library's that it calls itself. */
  speaks(instance: string, versions: ProxyVersions): void;
  versionsOf(instance: string): ProxyVersions | null;
  /** Holds the proxy for alive until the returned function is called. */
  attached(instance: string): () => void;
  left(instance: string): void;
  subjectOf(instance: string): Subject | null;
  live(): readonly LiveProxy[];
  /** How many they are; asked for every lease. Those that were not seen for an hour are forgotten. */
  count(): number;
  /** The UID by which its pod is known; null: it is in none that has to be, as a gateway, or nothing of it was seen here. */
  podOf(instance: string): string | null;
  /** What it said it runs, and found. */
  runs(instance: string, said: ProxyRunning): void;
  /** Of those that are alive, how many said so of themselves. */
  countDegraded(reason: DegradedReason): number;
}

export interface LiveProxy {
  readonly instance: string;
  readonly subject: Subject;
  /** The version of its snapshot; null: it has not said. */
  readonly snapshot: string | null;
  /** Connections past it that it found in its pod; null: it has not said. */
  readonly direct: readonly DirectConnections[] | null;
  /** The policies of its callers that it runs; null: it is no gateway, or has not said. */
  readonly callers: readonly FollowedPolicy[] | null;
}

export interface ProxyVersions {
  readonly version: string;
  readonly library: string | null;
  /** What was wrong around it when it last said hello. */
  readonly degraded: readonly DegradedReason[];
}

const ALIVE_MS = 30_000;
const FORGET_MS = 3_600_000;

interface Proxy {
  subject: Subject | null;
  podUid: string | null;
  snapshot: string | null;
  direct: readonly DirectConnections[] | null;
  callers: readonly FollowedPolicy[] | null;
  seenAt: number;
  streams: number;
  versions: ProxyVersions | null;
}

export interface ProxiesDeps {
  readonly clock: () => number;
  /** Is this still the UID of a pod that carries the proxy? One that is not is none that lives. */
  readonly isPod?: (uid: string) => boolean;
}

export const makeProxies = ({ clock, isPod = () => true }: ProxiesDeps): Proxies => {
  const proxies = new Map<string, Proxy>();
  const of = (instance: string): Proxy => {
    const proxy = proxies.get(instance) ?? {
      subject: null,
      podUid: null,
      snapshot: null,
      direct: null,
      callers: null,
      seenAt: clock(),
      streams: 0,
      versions: null,
    };
    proxies.set(instance, proxy);
    return proxy;
  };
  const isAlive = ({ streams, seenAt, podUid }: Proxy): boolean =>
    (streams > 0 || clock() - seenAt < ALIVE_MS) && (podUid === null || isPod(podUid));
  return {
    saw: (instance, subject, podUid) => {
      const proxy = of(instance);
      proxy.seenAt = clock();
      if (subject) proxy.subject = subject;
      if (podUid !== undefined) proxy.podUid = podUid;
    },
    speaks: (instance, versions) => {
      of(instance).versions = versions;
    },
    versionsOf: (instance) => proxies.get(instance)?.versions ?? null,
    attached: (instance) => {
      of(instance).streams += 1;
      return () => {
        const proxy = of(instance);
        proxy.streams -= 1;
        proxy.seenAt = clock();
      };
    },
    left: (instance) => {
      proxies.delete(instance);
    },
    podOf: (instance) => proxies.get(instance)?.podUid ?? null,
    runs: (instance, { snapshot, direct, callers }) => {
      const proxy = of(instance);
      proxy.snapshot = snapshot;
      proxy.direct = direct;
      if (callers !== undefined) proxy.callers = callers;
    },
    subjectOf: (instance) => proxies.get(instance)?.subject ?? null,
    countDegraded: (reason) => {
      let count = 0;
      for (const proxy of proxies.values()) if (isAlive(proxy) && proxy.versions?.degraded.includes(reason)) count += 1;
      return count;
    },
    count: () => {
      const now = clock();
      let count = 0;
      for (const [instance, proxy] of proxies) {
        if (proxy.subject && isAlive(proxy)) count += 1;
        else if (proxy.streams <= 0 && now - proxy.seenAt > FORGET_MS) proxies.delete(instance);
      }
      return count;
    },
    live: () =>
      [...proxies].flatMap(([instance, proxy]) => {
        const { subject, snapshot, direct, callers } = proxy;
        return subject && isAlive(proxy) ? [{ instance, subject, snapshot, direct, callers }] : [];
      }),
  };
};
