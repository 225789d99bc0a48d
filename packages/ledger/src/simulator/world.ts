/** Everything that takes part in one run, put together: time, Postgres, servers, proxies, the provider, and who looks on. */
import { counterKey } from '../counter.ts';
import { makeMemoryBlockSource } from '../pool/memory-block-source.ts';
import { makeCall, type CallCounts } from './call.ts';
import { makeChainCheck } from './chain-check.ts';
import { checkEnd } from './final-check.ts';
import { makeDigest, makeFindings, type Digest, type Findings } from './findings.ts';
import { makeLimits, type Limits } from './limits.ts';
import type { Mutation } from './mutation.ts';
import { eventKey, makeSimulatedPostgres, type SimulatedPostgres } from './postgres.ts';
import { makeProvider, type Provider } from './provider.ts';
import { makeSimulatedProxy, type SimulatedProxy } from './proxy.ts';
import { makeSimulatedRedis, type SimulatedRedis } from './redis.ts';
import type { CallPlan, Schedule } from './schedule.ts';
import { makeSimulatedServer, type SimulatedServer } from './server.ts';
import { makeSpendWatch } from './spend-watch.ts';
import { makeVirtualTime, type VirtualTime } from './virtual-time.ts';

export interface World {
  readonly time: VirtualTime;
  readonly limits: Limits;
  readonly postgres: SimulatedPostgres;
  readonly redis: SimulatedRedis;
  readonly servers: readonly SimulatedServer[];
  /** By server: how far its clock is off. */
  readonly serverSkewMs: number[];
  /** Grows where more join. */
  readonly proxies: SimulatedProxy[];
  readonly provider: Provider;
  readonly findings: Findings;
  readonly digest: Digest;
  readonly counts: CallCounts;
  call(proxy: SimulatedProxy, plan: CallPlan): void;
  join(name: string): SimulatedProxy;
  /** The invariants, at this moment: those that are cheap at every step, all of them now and then. */
  look(): void;
  lookClosely(): void;
  checkEnd(): void;
}

/** 2026-11-21T10:00Z, the ledger's clock at the beginning. */
const START = 1_795_255_200_000;
const LOOK_EVERY_MS = 2_000;

export const makeWorld = (schedule: Schedule, mutation: Mutation): World => {
  const { seed } = schedule;
  const time = makeVirtualTime(0);
  const findings = makeFindings();
  const digest = makeDigest();
  const limits = makeLimits(schedule.limits);
  const spend = makeSpendWatch(limits, findings);
  const provider = makeProvider((entry) => {
    digest.note(`${String(time.clock())} billed ${eventKey(entry)} ${String(entry.cost)}`);
    spend.bill(entry);
  });
  const source = mutation.source(makeMemoryBlockSource());
  const lost = new Set<string>();
  const proxies: SimulatedProxy[] = [];
  const servers: SimulatedServer[] = [];
  const serverSkewMs: number[] = [];
  const counts: CallCounts = { asked: 0, held: 0, refused: 0, failed: 0 };

  const postgres = makeSimulatedPostgres({
    time,
    source,
    onBlock: (terms) => {
      digest.note(`${String(time.clock())} block ${counterKey(terms)}`);
      spend.block(terms);
    },
    onEpoch: (epoch) => {
      latest.clear();
      latest.add(epoch);
    },
    onCommit: (events) => {
      for (const event of events) digest.note(`${eventKey(event)} ${String(event.charged)}`);
      chain.committed(events);
    },
  });
  const redis = makeSimulatedRedis({
    time,
    clock: () => START + time.clock(),
    weakened: mutation.weakened,
    onGranted: ({ key, max }, amount) => {
      chain.granted(key, max, amount);
    },
  });
  /** The epoch that is current in Postgres. */
  const latest = new Set<string>();
  const chain = makeChainCheck({
    findings,
    spend,
    tallies: source.tallies,
    balances: () => redis.balances(new Set([...source.unclosed(), ...latest])),
    running: () => proxies.flatMap((proxy) => proxy.current() ?? []),
    isCommitted: (event) => postgres.events.has(eventKey(event)),
  });

  const join = (name: string): SimulatedProxy => {
    const proxy = makeSimulatedProxy({
      name,
      seed,
      time,
      servers,
      wallClock: () => START + time.clock(),
      overdrafts: limits.overdrafts,
      mutation,
      onSettled: chain.settled,
      onLost: (instance) => void lost.add(instance),
    });
    proxies.push(proxy);
    return proxy;
  };

  for (let index = 0; index < schedule.servers; index += 1) {
    serverSkewMs.push(0);
    const clock = (): number => START + time.clock() + (serverSkewMs[index] ?? 0);
    servers.push(
      makeSimulatedServer({
        index,
        postgres,
        redis,
        time,
        resolve: limits.resolve,
        clock,
        proxies: () => proxies.filter((proxy) => proxy.current() !== null).length,
        commit: mutation.commit,
        recall: (counter, except) => {
          for (const proxy of proxies) if (proxy.current()?.instance !== except) proxy.recall(counter);
        },
      }),
    );
  }
  for (let index = 0; index < schedule.proxies; index += 1) join(`p${String(index)}`);

  const call = makeCall({ time, limits, provider, mutation, counts });
  let nextLook = 0;
  const lookClosely = (): void => {
    nextLook = time.clock() + LOOK_EVERY_MS;
    chain.look();
    findings.throwFirst();
  };

  return {
    time,
    limits,
    postgres,
    redis,
    servers,
    serverSkewMs,
    proxies,
    provider,
    findings,
    digest,
    counts,
    call: (proxy, plan) => {
      call(proxy, plan).catch(findings.fault);
    },
    join,
    look: () => {
      if (time.clock() >= nextLook) lookClosely();
      else findings.throwFirst();
    },
    lookClosely,
    checkEnd: () => {
      checkEnd({
        findings,
        billed: provider.billed,
        events: postgres.events,
        tallies: source.tallies(),
        unclosed: source.unclosed(),
        over: (counter, windowId) => spend.allowed(counter, windowId).over,
        lost,
      });
      findings.throwFirst();
    },
  };
};
