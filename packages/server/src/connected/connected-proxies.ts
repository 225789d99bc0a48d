/**
 * The proxies that are connected, over all servers of one database: each server writes down, a moment after it changed,
 * who is on its streams and who said to run what. Behind one name for all servers, what a proxy says may reach another
 * server than the one that its stream is on.
 */
import type { Logger, Timers } from '@tollgate/runtime';
import type { ConnectedProxy, ProxyRunning, Store } from '@tollgate/store';
import type { LiveProxy } from '../proxies.ts';

export interface ConnectedProxies {
  /** It said so to this server. */
  runs(instance: string, said: ProxyRunning): void;
  all(): Promise<readonly ConnectedProxy[]>;
  start(): void;
  stop(): Promise<void>;
}

/** Of one server alone: those that are alive here. */
export const connectedHere = (proxies: {
  live(): readonly LiveProxy[];
  runs(instance: string, said: ProxyRunning): void;
}): ConnectedProxies => ({
  runs: proxies.runs,
  all: () => Promise.resolve(proxies.live()),
  start: () => undefined,
  stop: () => Promise.resolve(),
});

export interface ConnectedEverywhereDeps {
  readonly store: Pick<Store, 'noteConnected' | 'connectedProxies' | 'sweepConnected' | 'forgetServer'>;
  /** This server's own name among them; new at each start. */
  readonly server: string;
  /** On the streams of this server. */
  readonly here: () => readonly Pick<ConnectedProxy, 'instance' | 'subject'>[];
  readonly clock: () => number;
  readonly timers: Timers;
  readonly logger: Logger;
}

const EVERY_MS = 500;
/** Well within the time after which a silent server counts as gone. */
const BEAT_MS = 5_000;

export const connectedEverywhere = ({
  store,
  server,
  here,
  clock,
  timers,
  logger,
}: ConnectedEverywhereDeps): ConnectedProxies => {
  /** By instance, the subject as it was written down. */
  let written = new Map<string, string>();
  let running = new Map<string, ProxyRunning>();
  let beatAt = -Infinity;
  let writing: Promise<void> = Promise.resolve();
  let cancel: () => void = () => undefined;
  let isStopped = false;
  let isAway = false;

  const write = async (): Promise<void> => {
    const now = new Map(here().map(({ instance, subject }) => [instance, { subject, text: JSON.stringify(subject) }]));
    const connected = [...now].filter(([instance, { text }]) => written.get(instance) !== text);
    const gone = [...written.keys()].filter((instance) => !now.has(instance));
    const said = running;
    const isDue = clock() - beatAt >= BEAT_MS;
    if (connected.length + gone.length + said.size === 0 && !isDue) return;
    running = new Map();
    let wasKnown: boolean;
    try {
      wasKnown = await store.noteConnected(server, {
        connected: connected.map(([instance, { subject }]) => ({ instance, subject })),
        gone,
        running: [...said].map(([instance, each]) => ({ instance, ...each })),
      });
    } catch (error) {
      for (const [instance, each] of said) running.set(instance, { ...each, ...running.get(instance) });
      throw error;
    }
    const before = written;
    written = new Map([...now].map(([instance, { text }]) => [instance, text]));
    if (!wasKnown && before.size > 0) {
      // It counted as gone meanwhile, and its proxies with it: all is said anew.
      written = new Map();
      return write();
    }
    if (!isDue) return;
    beatAt = clock();
    await store.sweepConnected();
  };

  const flush = (): Promise<void> => {
    writing = writing.catch(() => undefined).then(write);
    return writing;
  };

  const tick = async (): Promise<void> => {
    try {
      await flush();
      isAway = false;
    } catch (err) {
      if (!isAway) logger.warn({ err }, 'connected proxies not written down, tried again');
      isAway = true;
    }
    if (!isStopped) cancel = timers.after(EVERY_MS, () => void tick());
  };

  return {
    runs: (instance, said) => {
      // What is not said anew of callers stands.
      running.set(instance, { ...running.get(instance), ...said });
    },
    all: async () => {
      await flush();
      return store.connectedProxies();
    },
    start: () => {
      cancel = timers.after(EVERY_MS, () => void tick());
    },
    stop: async () => {
      isStopped = true;
      cancel();
      await writing.catch(() => undefined);
      await store.forgetServer(server);
    },
  };
};
