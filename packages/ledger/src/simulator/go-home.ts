/** All is healed, everybody is up, every call ends; then all go home, and every epoch is sealed. */
import type { World } from './world.ts';

/** The longest call, the longest wait, and a start of whatever is down. */
const CALLS_END_MS = 25_000;
const RECOVER_MS = 10_000;
const DRAIN_MS = 30_000;

export const goHome = async (world: World): Promise<void> => {
  const { time, servers, proxies, postgres, redis, findings, look } = world;
  Object.assign(postgres.faults, { isStopped: false, delayMs: 0, answersToLose: 0 });
  postgres.faults.dieAtBlock.clear();
  Object.assign(redis.faults, { isDown: false, delayMs: 0, answersToLose: 0 });
  redis.faults.cutOff.clear();
  redis.resume();
  redis.heal();
  for (const { link, disk } of proxies) {
    Object.assign(link.isCut, { to: false, from: false });
    Object.assign(link, { repliesToLose: 0, isMuddled: false });
    disk.isFull = false;
  }
  await time.advance(CALLS_END_MS, look);
  for (const server of servers) server.start().catch(findings.fault);
  for (const proxy of proxies) {
    // One that may still be on its way to a crash, or is paused, is started anew, and reads what it leaves.
    if (proxy.current()?.life.isTroubled() === true) proxy.kill();
    proxy.start();
  }
  await time.advance(RECOVER_MS, look);
  let draining = proxies.length;
  for (const proxy of proxies) {
    proxy.leave().then(() => (draining -= 1), findings.fault);
  }
  for (let waited = 0; waited < DRAIN_MS && draining > 0; waited += 100) await time.advance(100, look);
  findings.must(draining === 0, 'progress', () => `${String(draining)} proxies could not drain`);
  findings.throwFirst();
  await endLastEpoch(world);
};

/** Redis is lost, so that the servers begin another epoch, and what was pooled in the last comes back. */
const endLastEpoch = async ({ time, servers, redis, findings }: World): Promise<void> => {
  for (const server of servers) server.kill();
  redis.main().state.restart(null);
  redis.main().epoch = '';
  let starting = servers.length;
  for (const server of servers) server.start().then(() => (starting -= 1), findings.fault);
  for (let waited = 0; waited < DRAIN_MS && starting > 0; waited += 100) await time.advance(100);
  findings.must(starting === 0, 'progress', () => `${String(starting)} servers could not start`);
  findings.throwFirst();
};
