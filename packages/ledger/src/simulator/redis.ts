/**
 * Redis as the servers see it: the memory state on one node or, in a split brain, on two, with Redis's faults. What is
 * asked while it is paused happens when it goes on, whether anybody still waits or not.
 */
import { LedgerUnavailable } from '../lease-port.ts';
import { makeMemoryPoolState, type MemoryPoolState, type MemoryStateCopy } from '../pool/memory-pool-state.ts';
import type { LeaseLine, PoolState, StateBalance } from '../pool/pool-state.ts';
import type { Weakened } from '../pool/memory-state-contents.ts';
import type { ProcessLife } from './life.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimulatedRedis {
  readonly faults: RedisFaults;
  /** The node that servers use, unless the brain is split. */
  main(): RedisNode;
  /** The connection of the server of that number. */
  connect(server: number, life: ProcessLife): PoolState;
  /** These servers see a replica from now on, promoted with what it had. Until `heal`. */
  split(servers: readonly number[], replica: MemoryStateCopy): void;
  heal(): void;
  /** Goes on after a pause. */
  resume(): void;
  /** What somebody may be granted of these epochs. */
  balances(epochs: ReadonlySet<string>): readonly StateBalance[];
}

export interface RedisFaults {
  isDown: boolean;
  isPaused: boolean;
  delayMs: number;
  /** Of so many questions yet, the answer is lost after they took effect. */
  answersToLose: number;
  /** Servers that do not reach it. */
  readonly cutOff: Set<number>;
  /** How far its clock is off. */
  skewMs: number;
}

export interface RedisNode {
  readonly state: MemoryPoolState;
  /** Whose contents are as they were written; empty once they are not. */
  epoch: string;
}

export interface RedisDeps {
  readonly time: VirtualTime;
  readonly clock: () => number;
  readonly weakened: Weakened;
  /** At the moment of the grant, for each of its lines; not where it is told again. */
  readonly onGranted: (line: LeaseLine, amount: bigint) => void;
}

/** A server gives up on an answer after this long. */
const TIMEOUT_MS = 300;

export const makeSimulatedRedis = ({ time, clock, weakened, onGranted }: RedisDeps): SimulatedRedis => {
  const faults: RedisFaults = {
    isDown: false,
    isPaused: false,
    delayMs: 0,
    answersToLose: 0,
    cutOff: new Set(),
    skewMs: 0,
  };
  const makeNode = (): RedisNode => ({
    state: makeMemoryPoolState({ clock: () => clock() + faults.skewMs, weakened }),
    epoch: '',
  });
  const main = makeNode();
  let other: { readonly node: RedisNode; readonly servers: readonly number[] } | null = null;
  let waiting: (() => void)[] = [];

  const nodeOf = (server: number): RedisNode => (other?.servers.includes(server) ? other.node : main);

  const pause = (ms: number): Promise<void> => new Promise((resolve) => void time.timers.after(ms, resolve));
  const silence = (): Promise<never> => new Promise(() => undefined);

  const connect = (server: number, life: ProcessLife): PoolState => {
    /** Whatever becomes of it, the server hears of it at most once, and within its patience. */
    const ask = async <T>(work: (node: RedisNode) => Promise<T>): Promise<T> => {
      if (!life.isAlive()) return silence();
      const isPatient =
        !faults.isPaused && faults.delayMs === 0 && faults.answersToLose === 0 && faults.cutOff.size === 0;
      if (faults.isDown) throw new LedgerUnavailable('Redis is down');
      const answer = isPatient ? work(nodeOf(server)) : withinPatience(carry(work));
      const value = await answer;
      return life.isAlive() ? value : silence();
    };

    const carry = async <T>(work: (node: RedisNode) => Promise<T>): Promise<T> => {
      if (faults.cutOff.has(server)) return silence();
      if (faults.isPaused) await new Promise<void>((resolve) => void waiting.push(resolve));
      if (faults.delayMs > 0) await pause(faults.delayMs);
      // A server that died meanwhile had sent it all the same.
      const value = await work(nodeOf(server));
      if (faults.answersToLose === 0) return value;
      faults.answersToLose -= 1;
      return silence();
    };

    const withinPatience = <T>(answer: Promise<T>): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        const cancel = time.timers.after(TIMEOUT_MS, () => {
          reject(new LedgerUnavailable('Redis did not answer in time'));
        });
        answer.then(resolve, reject).finally(cancel);
      });

    return {
      library: main.state.library,
      dialects: main.state.dialects,
      open: (epoch) =>
        ask(async (node) => {
          const answer = await node.state.open(epoch);
          if (answer.kind === 'opened') node.epoch = epoch.id;
          return answer;
        }),
      isOpen: (epoch) => ask(({ state }) => state.isOpen(epoch)),
      admit: (epoch, instance, closes) => ask(({ state }) => state.admit(epoch, instance, closes)),
      load: (epoch, block) => ask(({ state }) => state.load(epoch, block)),
      lease: (epoch, request) =>
        ask(async ({ state }) => {
          const answer = await state.lease(epoch, request);
          if (answer.kind === 'granted' && answer.balances !== null)
            request.lines.forEach((line, at) => onGranted(line, answer.grants[at]?.amount ?? 0n));
          return answer;
        }),
      giveBack: (epoch, request) => ask(({ state }) => state.giveBack(epoch, request)),
      settled: (epoch, charges) => ask(({ state }) => state.settled(epoch, charges)),
      close: (epoch, instance, spent) => ask(({ state }) => state.close(epoch, instance, spent)),
      drain: (epoch, id, counters) => ask(({ state }) => state.drain(epoch, id, counters)),
      refunded: (epoch, id) => ask(({ state }) => state.refunded(epoch, id)),
      forget: (epoch, keys) => ask(({ state }) => state.forget(epoch, keys)),
      page: (epoch, cursor) => ask(({ state }) => state.page(epoch, cursor)),
      beat: (name, proxies) => ask(({ state }) => state.beat(name, proxies)),
      leave: (name) => ask(({ state }) => state.leave(name)),
      sweep: (epoch, earlier) => ask(({ state }) => state.sweep(epoch, earlier)),
    };
  };

  return {
    faults,
    main: () => main,
    connect,
    split: (servers, replica) => {
      const node = makeNode();
      node.state.restart(replica);
      other = { node, servers };
    },
    heal: () => {
      other = null;
    },
    resume: () => {
      faults.isPaused = false;
      const now = waiting;
      waiting = [];
      for (const go of now) go();
    },
    balances: (epochs) =>
      [main, ...(other ? [other.node] : [])].flatMap((node) => (epochs.has(node.epoch) ? node.state.balances() : [])),
  };
};
