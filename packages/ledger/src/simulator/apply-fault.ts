/** What each fault does to the world, and how it passes again. */
import { planCall } from './plan-call.ts';
import { makeRandom } from './random.ts';
import type { FaultAction } from './schedule.ts';
import { strikeRedis } from './strike-redis.ts';
import type { World } from './world.ts';

/** False: it found nothing to strike. */
export const applyFault = (world: World, fault: FaultAction): boolean => {
  switch (fault.kind) {
    case 'kill':
    case 'kill-at-record':
    case 'disk-full':
    case 'lose-node':
    case 'pause-proxy':
    case 'lose-replies':
    case 'partition':
      return strikeProxy(world, fault);
    case 'kill-server':
    case 'restart-server':
    case 'kill-server-at-block':
      return strikeServer(world, fault);
    case 'stop-postgres':
    case 'lose-commit-answers':
    case 'slow-postgres':
      strikePostgres(world, fault);
      return true;
    case 'empty-redis':
    case 'flush-redis':
    case 'stale-redis':
    case 'promote-replica':
    case 'flap-redis':
    case 'edit-redis':
    case 'pause-redis':
    case 'slow-redis':
    case 'cut-off-redis':
    case 'lose-redis-answers':
    case 'split-redis':
      return strikeRedis(world, fault);
    case 'duplicates':
      for (const { link } of world.proxies) link.isMuddled = true;
      world.time.timers.after(fault.forMs, () => {
        for (const { link } of world.proxies) link.isMuddled = false;
      });
      return true;
    case 'jump-clock':
      jumpClock(world, fault);
      return true;
    case 'rush':
      rush(world, fault);
      return true;
    case 'crowd':
      crowd(world, fault);
      return true;
    case 'change-limit':
      world.limits.change(fault.limit, fault.max);
      for (const proxy of world.proxies) proxy.setOverdrafts(world.limits.overdrafts());
      return true;
    default: {
      const never: never = fault;
      throw new TypeError(`no such fault: ${String(never)}`);
    }
  }
};

type Of<K extends FaultAction['kind']> = Extract<FaultAction, { readonly kind: K }>;

const strikeProxy = (
  { time, proxies }: World,
  fault: Of<'kill' | 'kill-at-record' | 'disk-full' | 'lose-node' | 'pause-proxy' | 'lose-replies' | 'partition'>,
): boolean => {
  const proxy = proxies[fault.proxy];
  const running = proxy?.current();
  if (!proxy || !running) return false;
  switch (fault.kind) {
    case 'kill':
      proxy.kill();
      time.timers.after(fault.downMs, proxy.start);
      break;
    case 'kill-at-record':
      running.life.crashAt(fault);
      time.timers.after(fault.downMs + LONGEST_TO_A_RECORD_MS, proxy.start);
      break;
    case 'lose-node':
      proxy.loseNode();
      time.timers.after(fault.downMs, proxy.start);
      break;
    case 'disk-full':
      proxy.disk.isFull = true;
      time.timers.after(fault.forMs, () => {
        proxy.disk.isFull = false;
      });
      break;
    case 'pause-proxy':
      running.life.pause();
      time.timers.after(fault.forMs, running.life.resume);
      break;
    case 'lose-replies':
      proxy.link.repliesToLose += fault.replies;
      break;
    case 'partition':
      cut(proxy.link.isCut, fault.way, true);
      time.timers.after(fault.forMs, () => {
        cut(proxy.link.isCut, fault.way, false);
      });
      break;
  }
  return true;
};

/** A proxy that dies at a record is started again after this, whenever it came to that record. */
const LONGEST_TO_A_RECORD_MS = 15_000;

const cut = (isCut: { to: boolean; from: boolean }, way: 'to' | 'from' | 'both', now: boolean): void => {
  if (way !== 'from') isCut.to = now;
  if (way !== 'to') isCut.from = now;
};

const strikeServer = (
  { time, servers, postgres, findings }: World,
  fault: Of<'kill-server' | 'restart-server' | 'kill-server-at-block'>,
): boolean => {
  const server = servers[fault.server];
  const life = server?.life();
  if (!server || !life) return false;
  const startAgain = (afterMs: number): void =>
    void time.timers.after(afterMs, () => {
      server.start().catch(findings.fault);
    });
  switch (fault.kind) {
    case 'kill-server':
      server.kill();
      startAgain(fault.downMs);
      break;
    case 'restart-server':
      server.stop().then(() => {
        startAgain(fault.downMs);
      }, findings.fault);
      break;
    case 'kill-server-at-block':
      postgres.faults.dieAtBlock.add(life);
      startAgain(fault.downMs + LONGEST_TO_A_RECORD_MS);
      break;
  }
  return true;
};

const strikePostgres = (
  { time, postgres: { faults } }: World,
  fault: Of<'stop-postgres' | 'lose-commit-answers' | 'slow-postgres'>,
): void => {
  switch (fault.kind) {
    case 'stop-postgres':
      faults.isStopped = true;
      time.timers.after(fault.forMs, () => {
        faults.isStopped = false;
      });
      break;
    case 'lose-commit-answers':
      faults.answersToLose += fault.answers;
      break;
    case 'slow-postgres':
      faults.delayMs = fault.delayMs;
      time.timers.after(fault.forMs, () => {
        faults.delayMs = 0;
      });
      break;
  }
};

const jumpClock = ({ proxies, redis, serverSkewMs }: World, { party, index, byMs }: Of<'jump-clock'>): void => {
  const proxy = proxies[index];
  if (party === 'server') serverSkewMs[index] = (serverSkewMs[index] ?? 0) + byMs;
  else if (party === 'redis') redis.faults.skewMs += byMs;
  else if (proxy) proxy.skewMs += byMs;
};

const rush = ({ time, limits, proxies, call }: World, { seed, calls, spreadMs }: Of<'rush'>): void => {
  const random = makeRandom(seed);
  for (let count = 0; count < calls; count += 1) {
    const proxy = proxies[random.between(0, proxies.length - 1)];
    const plan = planCall(random, limits.all, 0);
    time.timers.after(random.between(0, spreadMs), () => {
      if (proxy) call(proxy, plan);
    });
  }
};

/** Each joins, makes one call, and leaves. */
const crowd = (world: World, { seed, joins, stayMs }: Of<'crowd'>): void => {
  const { time, limits, findings } = world;
  const random = makeRandom(seed);
  for (let count = 0; count < joins; count += 1) {
    const proxy = world.join(`c${String(seed)}-${String(count)}`);
    proxy.start();
    world.call(proxy, planCall(random, limits.all, 0));
    time.timers.after(stayMs + random.between(0, 100), () => {
      proxy.leave().catch(findings.fault);
    });
  }
};
