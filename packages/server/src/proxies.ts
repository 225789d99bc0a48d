import type { Subject } from '@tollgate/api';
import type { DegradedReason } from '@tollgate/ledger';

/** The proxies that are alive now: seen within the last half minute, or on the snapshot stream. */
export interface Proxies {
  /** `subject` where it is told anew. */
  saw(instance: string, subject?: Subject): void;
  /** What it said at its hello to this server: its own version, and the pool library's that it calls itself. */
  speaks(instance: string, versions: ProxyVersions): void;
  versionsOf(instance: string): ProxyVersions | null;
  /** Holds the proxy for alive until the returned function is called. */
  attached(instance: string): () => void;
  left(instance: string): void;
  subjectOf(instance: string): Subject | null;
  live(): readonly Subject[];
  /** Of those that are alive, how many said so of themselves. */
  countDegraded(reason: DegradedReason): number;
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
  seenAt: number;
  streams: number;
  versions: ProxyVersions | null;
}

export const makeProxies = ({ clock }: { readonly clock: () => number }): Proxies => {
  const proxies = new Map<string, Proxy>();
  const of = (instance: string): Proxy => {
    const proxy = proxies.get(instance) ?? { subject: null, seenAt: clock(), streams: 0, versions: null };
    proxies.set(instance, proxy);
    return proxy;
  };
  const isAlive = ({ streams, seenAt }: Proxy): boolean => streams > 0 || clock() - seenAt < ALIVE_MS;
  return {
    saw: (instance, subject) => {
      const proxy = of(instance);
      proxy.seenAt = clock();
      if (subject) proxy.subject = subject;
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
    subjectOf: (instance) => proxies.get(instance)?.subject ?? null,
    countDegraded: (reason) => {
      let count = 0;
      for (const proxy of proxies.values()) if (isAlive(proxy) && proxy.versions?.degraded.includes(reason)) count += 1;
      return count;
    },
    live: () => {
      const now = clock();
      const alive: Subject[] = [];
      for (const [instance, proxy] of proxies) {
        const idle = now - proxy.seenAt;
        if (proxy.subject && isAlive(proxy)) alive.push(proxy.subject);
        else if (proxy.streams <= 0 && idle > FORGET_MS) proxies.delete(instance);
      }
      return alive;
    },
  };
};
