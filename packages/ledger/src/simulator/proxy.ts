/** A simulated proxy: production escrow and spool over a disk that survives it, and the server it talks to. */
import { makeEscrow, type Escrow } from '../escrow/escrow.ts';
import type { CounterName } from '../counter.ts';
import type { OverdraftTerms } from '../escrow/overdrafts.ts';
import type { LedgerEvent } from '../event.ts';
import { LedgerUnavailable, type LeasePort } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { makeMemoryDisk } from '../spool/memory-disk.ts';
import { openSpool, type Spool } from '../spool/spool.ts';
import type { SpoolDisk } from '../spool/spool-disk.ts';
import { makeProcessLife, type ProcessLife } from './life.ts';
import { makeLink, type Link } from './link.ts';
import type { Mutation } from './mutation.ts';
import { streamOf } from './random.ts';
import type { SimulatedServer } from './server.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimulatedProxy {
  readonly name: string;
  readonly link: Link;
  /** Of its node: `isFull` takes no byte more. */
  readonly disk: { isFull: boolean };
  /** How far its wall clock is off. */
  skewMs: number;
  /** Milliseconds since 1970 as it sees them: no safety rests on them. */
  wallClock(): number;
  /** The present life; null while the process is down. */
  current(): RunningLife | null;
  start(): void;
  kill(): void;
  /** The node burns down: nobody reads its spool again. */
  loseNode(): void;
  /** Gives everything back, ships all, ends for good. */
  leave(): Promise<void>;
  hasLeft(): boolean;
  /** How many processes it was. */
  lives(): number;
  recall(counter: CounterName): void;
  /** The limits in force have changed. */
  setOverdrafts(terms: readonly OverdraftTerms[]): void;
}

export interface RunningLife {
  readonly instance: string;
  readonly escrow: Escrow;
  readonly spool: Spool;
  readonly life: ProcessLife;
}

export interface SimulatedProxyDeps {
  readonly name: string;
  readonly seed: number;
  readonly time: VirtualTime;
  readonly servers: readonly SimulatedServer[];
  readonly wallClock: () => number;
  readonly overdrafts: () => readonly OverdraftTerms[];
  readonly mutation: Mutation;
  readonly onSettled: (event: LedgerEvent) => void;
  readonly onLost: (instance: string) => void;
}

const GREET_MS = 500;
const RESTART_MS = 1_000;
/** Small, so that every run begins new files and removes old ones. */
const SEGMENT_BYTES = 8_192;

export const makeSimulatedProxy = (deps: SimulatedProxyDeps): SimulatedProxy => {
  const { name, seed, time, servers, wallClock, overdrafts, mutation, onSettled, onLost } = deps;
  const { files } = makeMemoryDisk();
  const link = makeLink(time, streamOf(seed, `link ${name}`));
  const onDisk: string[] = [];
  let current: RunningLife | null = null;
  let lives = 0;
  let server = 0;
  let hasLeft = false;

  /** Asks the server at hand; where it does not answer, the next one is asked the next time. */
  const ask = async <T>(life: ProcessLife, work: (server: SimulatedServer) => Promise<T>): Promise<T> => {
    const asked = servers[server % servers.length];
    if (!asked) throw new LedgerUnavailable('there is no server');
    try {
      return await link.ask(life, () => work(asked));
    } catch (fault) {
      if (fault instanceof LedgerUnavailable) server += 1;
      throw fault;
    }
  };

  const start = (): void => {
    if (current !== null || hasLeft) return;
    lives += 1;
    const instance = `${name}.${String(lives)}`;
    const life = makeProcessLife(() => {
      current = null;
    });
    try {
      const running = run(instance, life);
      if (!life.isAlive()) return;
      current = running.life;
      void running.greet();
    } catch (fault) {
      if (!life.isAlive()) return;
      life.kill();
      // A disk that takes nothing: the process ends, and is started again.
      if (!proxy.disk.isFull) throw fault;
      time.timers.after(RESTART_MS, start);
    }
  };

  const run = (instance: string, life: ProcessLife): { life: RunningLife; greet: () => Promise<void> } => {
    onDisk.push(instance);
    const timers = life.timers(time.timers);
    const disk = life.disk(fillable(makeMemoryDisk(files), proxy.disk));
    const defer = (act: () => void): void => void timers.after(0, act);
    const opened = openSpool({ disk, segmentBytes: SEGMENT_BYTES, defer });
    const spool = mutation.spool(watched(opened, onSettled));
    const port: LeasePort = {
      acquire: (request) => ask(life, (asked) => asked.acquire(request)),
      giveBack: (request) => ask(life, (asked) => asked.giveBack(request)),
    };
    let isGreeting = false;
    const greet = async (): Promise<void> => {
      if (isGreeting) return;
      isGreeting = true;
      while (life.isAlive()) {
        try {
          const { epoch, liveProxies } = await ask(life, (asked) => asked.hello(instance));
          escrow.enterEpoch(epoch);
          escrow.setPeers(liveProxies);
          escrow.setOverdrafts(overdrafts());
          break;
        } catch {
          await new Promise<void>((resolve) => void timers.after(GREET_MS, resolve));
        }
      }
      isGreeting = false;
    };
    const escrow = mutation.escrow(
      makeEscrow({
        port: mutation.port(port),
        session: {
          ship: (events) => ask(life, (asked) => asked.ship(events)),
          closeEpoch: (request) => ask(life, (asked) => asked.closeEpoch(request)),
        },
        spool,
        clock: time.clock,
        now: proxy.wallClock,
        timers,
        random: streamOf(seed, instance).next,
        instance,
        defer,
        onFault: (fault) => {
          if (fault instanceof LedgerRefused && fault.reason === 'unknown_instance') void greet();
        },
      }),
    );
    return { life: { instance, escrow, spool, life }, greet };
  };

  const kill = (): void => {
    current?.life.kill();
  };

  const proxy: SimulatedProxy = {
    name,
    link,
    disk: { isFull: false },
    skewMs: 0,
    wallClock: () => wallClock() + proxy.skewMs,
    current: () => current,
    start,
    kill,
    loseNode: () => {
      kill();
      files.clear();
      for (const instance of onDisk.splice(0)) onLost(instance);
    },
    leave: async () => {
      await current?.escrow.drain();
      kill();
      hasLeft = true;
    },
    hasLeft: () => hasLeft,
    lives: () => lives,
    setOverdrafts: (terms) => {
      current?.escrow.setOverdrafts(terms);
    },
    recall: (counter) => {
      const running = current;
      if (running) link.tell(running.life, () => running.escrow.recall([counter]));
    },
  };
  return proxy;
};

/** A disk that may be full: it takes half of what comes, and refuses. */
const fillable = (of: SpoolDisk, state: { readonly isFull: boolean }): SpoolDisk => ({
  ...of,
  open: (name) => {
    const file = of.open(name);
    return {
      ...file,
      append: (bytes) => {
        if (!state.isFull) {
          file.append(bytes);
          return;
        }
        file.append(bytes.subarray(0, bytes.length >> 1));
        throw new Error('ENOSPC: no space left on device');
      },
    };
  },
});

const watched = (spool: Spool, onSettled: (event: LedgerEvent) => void): Spool => ({
  ...spool,
  settle: (event) => {
    try {
      spool.settle(event);
    } finally {
      onSettled(event);
    }
  },
});
