/**
 * Looks now and then whether another container of the pod calls a provider past the proxy. A look costs a few reads of
 * /proc and some names resolved; no call waits for it, and what it finds changes no call: it is reported.
 */
import type { DirectConnections } from '@tollgate/ledger';
import type { Logger, Timers } from '@tollgate/runtime';
import { directConnections, foreignSockets } from './direct-connections.ts';
import { canonicalAddress } from './ip-address.ts';
import { hasMesh } from './mesh.ts';
import type { ProviderTarget } from './provider-targets.ts';
import type { ReadSocketTables } from './socket-tables.ts';

export interface DirectWatch {
  /** As found of late; null: not looked yet, or it cannot be seen here. */
  found(): readonly DirectConnections[] | null;
  /** Open at the last look. */
  open(): number;
  close(): void;
}

export interface DirectWatchDeps {
  /** Milliseconds from one look to the next. */
  readonly everyMs: number;
  readonly targets: () => readonly ProviderTarget[];
  readonly read: ReadSocketTables;
  /** The addresses of a name. Rejects where it has none. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly logger: Logger;
  /** Other hosts are found than before. */
  readonly onChange: () => void;
}

/** A name means other addresses every minute, and a connection outlives what it was dialled by. */
const REMEMBERED_MS = 3_600_000;
const MOST_ADDRESSES = 256;
/** Looks for which a host stays found: connections come and go between them, and a report that flickers is none. */
const KEPT_LOOKS = 5;

export const watchDirectConnections = (deps: DirectWatchDeps): DirectWatch => {
  const { everyMs, targets, read, timers, clock, logger, onChange } = deps;
  const addresses = new Map<string, Map<string, number>>();
  const seen = new Map<string, { readonly count: number; readonly at: number }>();
  let hasLooked = false;
  let open = 0;
  let isClosed = false;
  let isFailing = false;
  let cancel: () => void = () => undefined;

  const learn = async (host: string): Promise<void> => {
    const known = addresses.get(host) ?? new Map<string, number>();
    addresses.set(host, known);
    // What cannot be resolved now is looked for by what it meant before.
    const now = await deps.resolve(host).catch(() => []);
    for (const address of now) {
      const canonical = canonicalAddress(address);
      // Anew, so that the order stays that of the last time.
      known.delete(canonical);
      known.set(canonical, clock());
    }
    for (const [address, at] of known) {
      if (known.size > MOST_ADDRESSES || clock() - at > REMEMBERED_MS) known.delete(address);
    }
  };

  /** False: there is nothing to look at here, and never will be. */
  const look = async (): Promise<boolean> => {
    const tables = await read();
    if (tables === null) return false;
    if (hasMesh(tables.listening)) {
      logger.info({}, 'a service mesh dials for this pod: connections past the proxy cannot be told from its own');
      return false;
    }
    const wanted = targets();
    for (const host of addresses.keys()) if (!wanted.some((target) => target.host === host)) addresses.delete(host);
    const foreign = foreignSockets(tables, wanted);
    // In most pods there is none, and thousands of pods that resolve names every minute are felt.
    if (foreign.length > 0) await Promise.all(wanted.map(({ host }) => learn(host)));
    const hosts = wanted.map((target) => ({ ...target, addresses: new Set(addresses.get(target.host)?.keys()) }));
    const found = directConnections(foreign, hosts);
    const before = [...seen.keys()].join();
    for (const { host, count } of found) seen.set(host, { count, at: clock() });
    for (const [host, { at }] of seen) if (clock() - at > KEPT_LOOKS * everyMs) seen.delete(host);
    open = found.reduce((sum, { count }) => sum + count, 0);
    const isNews = !hasLooked || [...seen.keys()].join() !== before;
    hasLooked = true;
    if (!isNews || isClosed) return true;
    for (const { host, count } of found)
      logger.warn({ host, count }, 'a container of this pod calls a provider past the proxy');
    onChange();
    return true;
  };

  const turn = async (): Promise<void> => {
    let goesOn = true;
    try {
      goesOn = await look();
      isFailing = false;
    } catch (err) {
      if (!isFailing) logger.warn({ err }, 'connections of this pod cannot be looked at');
      isFailing = true;
    }
    if (goesOn && !isClosed) cancel = timers.after(everyMs, () => void turn());
  };
  cancel = timers.after(everyMs, () => void turn());

  return {
    found: () => (hasLooked ? [...seen].map(([host, { count }]) => ({ host, count })) : null),
    open: () => open,
    close: () => {
      isClosed = true;
      cancel();
    },
  };
};
