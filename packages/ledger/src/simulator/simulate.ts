/**
 * A world decided by one number: proxies running the production escrow and spool, the production pool, a provider that
 * keeps its own book, and faults between and within them. The oracle looks on.
 */
import type { CounterName } from '../counter.ts';
import type { HoldNeed } from '../escrow/hold.ts';
import type { CounterTerms } from '../pool/block-source.ts';
import type { CrashPoint } from './life.ts';
import { CALM, makeNetwork } from './network.ts';
import { makeOracle, OracleViolation, type SimulatedLimit } from './oracle.ts';
import type { Profile } from './profile.ts';
import { makeProvider } from './provider.ts';
import { makeSimulatedProxy, type SimulatedProxy } from './proxy.ts';
import { makeRandom, type Random } from './random.ts';
import { makeSimulatedServer, type SimulatedServer } from './server.ts';
import { makeVirtualTime, type VirtualTime } from './virtual-time.ts';

export interface SimulationReport {
  readonly seed: number;
  readonly held: number;
  readonly refused: number;
  readonly failed: number;
  readonly billed: number;
  readonly events: number;
  readonly interrupted: number;
  /** Records that the first life of the first proxy wrote. */
  readonly firstLifeRecords: number;
  readonly digest: string;
}

export interface SimulationOptions {
  readonly profile: Profile;
  /** Where the first life of the first proxy ends, instead of by chance. */
  readonly crash?: CrashPoint;
}

/** 2026-11-21T10:00Z, the ledger's clock at the beginning. */
const START = 1_795_255_200_000;

export const LIMITS: readonly SimulatedLimit[] = [
  { budget: 'sim/spend', limit: 'windowed', partition: '', unit: 'cost', max: 60_000n, sliding: null, windowMs: 5_000 },
  {
    budget: 'sim/spend',
    limit: 'sliding',
    partition: '',
    unit: 'cost',
    max: 90_000n,
    sliding: { buckets: 4, bucketMs: 2_000 },
    windowMs: 2_000,
  },
  { budget: 'sim/calls', limit: 'total', partition: '', unit: 'requests', max: 150n, sliding: null, windowMs: null },
];

export const simulate = async (seed: number, { profile, crash }: SimulationOptions): Promise<SimulationReport> => {
  const random = makeRandom(seed);
  const time = makeVirtualTime(0);
  const network = makeNetwork(time, random);
  const provider = makeProvider();
  const server = makeSimulatedServer({
    resolve: (name) => termsAt(name, START + time.clock()),
    clock: () => START + time.clock(),
    proxies: profile.proxies,
    isForgetful: profile.isForgetful,
  });
  const proxies = Array.from({ length: profile.proxies }, (_, index) =>
    makeSimulatedProxy({
      name: `p${String(index)}`,
      time,
      random,
      network,
      server,
      provider,
      broken: profile.broken,
      unsound: profile.unsound,
    }),
  );
  const running = () => proxies.flatMap((proxy) => proxy.current() ?? []);
  const oracle = makeOracle({ server, provider, limits: LIMITS, running });

  try {
    await server.start();
    network.weather = profile.weather;
    proxies.forEach((proxy, index) => {
      proxy.start(index === 0 && crash ? crash : crashBy(random, profile));
    });
    const first = proxies[0]?.current()?.life.written ?? { count: 0 };
    const faults: unknown[] = [];
    for (const proxy of proxies) keepCalling(proxy, time, random, profile, (fault) => faults.push(fault));
    if (profile.serverEndsMs > 0) keepEnding(server, time, random, profile);

    await runUntil(time, profile.lastsMs, oracle.now, () => {
      for (const proxy of proxies) if (!proxy.current() && random.chance(0.05)) proxy.start(crashBy(random, profile));
    });
    const firstLifeRecords = first.count;
    await bringHome(server, proxies, network, time, oracle.now);
    oracle.atEnd();
    if (faults.length > 0) throw faults[0];
    const events = [...server.events.values()];
    const sum = (of: (proxy: SimulatedProxy) => number): number =>
      proxies.reduce((total, proxy) => total + of(proxy), 0);
    return {
      seed,
      held: sum(({ counts }) => counts.held),
      refused: sum(({ counts }) => counts.refused),
      failed: sum(({ counts }) => counts.failed),
      billed: provider.billed.length,
      events: events.length,
      interrupted: events.filter(({ settle }) => settle === 'interrupted').length,
      firstLifeRecords,
      digest: events.map(({ instance, seq, charged }) => `${instance}:${String(seq)}:${String(charged)}`).join(' '),
    };
  } catch (cause) {
    const at = `SIM_SEED=${String(seed)} at ${String(Math.round(time.clock()))} ms`;
    if (cause instanceof OracleViolation) throw new OracleViolation(`${at}: ${cause.message}`, { cause });
    throw new Error(`${at}: the simulation failed`, { cause });
  }
};

const termsAt = ({ budget, limit, partition }: CounterName, now: number): CounterTerms | null => {
  const found = LIMITS.find((each) => each.budget === budget && each.limit === limit);
  if (!found) return null;
  const { windowMs, unit, max, sliding } = found;
  const start = windowMs === null ? 0 : now - (now % windowMs);
  const window =
    windowMs === null
      ? { id: 'Total', start, end: null }
      : { id: `${String(start)}/${limit}`, start, end: start + windowMs };
  return { budget, limit, partition, unit, max, sliding, window };
};

const needOf = (index: number, amount: bigint): HoldNeed[] => {
  const limit = LIMITS[index];
  if (!limit) return [];
  const { budget, limit: name, partition, unit, max } = limit;
  return [{ budget, limit: name, partition, unit, count: 'Total', amount, max }];
};

/** Anywhere in the first records of a life: the recovery's own included. */
const crashBy = (random: Random, { crash }: Profile): CrashPoint | null => {
  const record = random.between(1, 120);
  const when = random.pick(['before', 'torn', 'after'] as const);
  return random.chance(crash) ? { record, when } : null;
};

const keepCalling = (
  proxy: SimulatedProxy,
  time: VirtualTime,
  random: Random,
  { lastsMs, everyMs }: Profile,
  onFault: (fault: unknown) => void,
): void => {
  const next = (): void => {
    if (time.clock() >= lastsMs) return;
    const cost = BigInt(random.between(100, 6_000));
    const hard = [
      ...needOf(0, cost),
      ...(random.chance(0.6) ? needOf(1, cost) : []),
      ...(random.chance(0.5) ? needOf(2, 1n) : []),
    ];
    const isSoft = random.chance(0.1);
    proxy
      .call({ hard: isSoft ? [] : hard, soft: isSoft ? needOf(0, cost) : [], waitMs: random.pick([0, 300, 2_000]) })
      .catch(onFault);
    // Often alone, sometimes many at once.
    time.timers.after(random.chance(0.2) ? 0 : random.between(1, everyMs * 2), next);
  };
  time.timers.after(random.between(0, everyMs), next);
};

const keepEnding = (
  server: SimulatedServer,
  time: VirtualTime,
  random: Random,
  { lastsMs, serverEndsMs }: Profile,
): void => {
  const next = async (): Promise<void> => {
    if (time.clock() >= lastsMs) return;
    if (random.chance(0.5)) server.crash();
    else await server.stop();
    time.timers.after(random.between(0, 1_500), () => void server.start());
    time.timers.after(1_600 + random.between(0, serverEndsMs * 2), () => void next());
  };
  time.timers.after(random.between(0, serverEndsMs * 2), () => void next());
};

const runUntil = async (time: VirtualTime, until: number, look: () => void, onStep: () => void): Promise<void> => {
  for (let step = 0; time.clock() < until; step += 1) {
    if (!(await time.step())) return;
    onStep();
    if (step % 32 === 0) look();
  }
};

/** Good weather, everybody up, every call over; then all go home, and every epoch is sealed. */
const bringHome = async (
  server: SimulatedServer,
  proxies: readonly SimulatedProxy[],
  network: { weather: unknown },
  time: VirtualTime,
  look: () => void,
): Promise<void> => {
  network.weather = CALM;
  await time.advance(10_000);
  if (server.pool() === null) await server.start();
  for (const proxy of proxies) {
    // The last life may still be on its way to a crash; a fresh one reads what it leaves.
    proxy.kill();
    proxy.start(null);
  }
  await time.advance(10_000);
  look();
  const draining = proxies.map((proxy) => proxy.current()?.escrow.drain());
  let isDone = false;
  void Promise.all(draining).then(() => (isDone = true));
  for (let turn = 0; turn < 200 && !isDone; turn += 1) await time.advance(100);
  if (!isDone) throw new OracleViolation('a proxy could not drain');
  await server.stop();
  await server.start();
};
