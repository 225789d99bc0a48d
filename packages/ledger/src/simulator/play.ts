/**
 * Plays a schedule: a world of production code in virtual time, decided by the schedule alone. Throws an
 * `OracleViolation` that names the seed where an invariant does not hold.
 */
import { OVERDRAFT_LIMIT } from '@tollgate/budget';
import { applyFault } from './apply-fault.ts';
import { OracleViolation } from './findings.ts';
import { goHome } from './go-home.ts';
import { rowOf } from './matrix.ts';
import { UNBROKEN, type Mutation } from './mutation.ts';
import type { Schedule } from './schedule.ts';
import { makeWorld, type World } from './world.ts';

export interface Report {
  readonly seed: number;
  readonly calls: number;
  readonly held: number;
  readonly refused: number;
  readonly failed: number;
  readonly billed: number;
  readonly events: number;
  readonly interrupted: number;
  /** Attempts that drew on an overdraft. */
  readonly overdrawn: number;
  /** Processes that proxies were, in all. */
  readonly lives: number;
  /** Faults that took effect, by row of the matrix. */
  readonly faults: ReadonlyMap<number, number>;
  readonly digest: string;
}

export const play = async (schedule: Schedule, mutation: Mutation = UNBROKEN): Promise<Report> => {
  const world = makeWorld(schedule, mutation);
  const { time, servers, proxies, counts, postgres, provider, digest } = world;
  const faults = new Map<number, number>();
  // Work that nobody waits for fails here.
  process.on('unhandledRejection', world.findings.fault);
  try {
    await Promise.all(servers.map((server) => server.start()));
    for (const proxy of proxies) proxy.start();
    for (const action of schedule.actions) {
      time.timers.after(action.at, () => {
        if (action.kind === 'call') {
          const proxy = proxies[action.proxy];
          if (proxy) world.call(proxy, action);
        } else if (applyFault(world, action)) {
          const row = rowOf(action.kind);
          faults.set(row, (faults.get(row) ?? 0) + 1);
          world.lookClosely();
        }
      });
    }
    await time.advance(schedule.lastsMs, world.look);
    await goHome(world);
    world.checkEnd();
  } catch (cause) {
    throw violationAt(world, schedule.seed, cause);
  } finally {
    process.off('unhandledRejection', world.findings.fault);
  }
  const events = [...postgres.events.values()];
  return {
    seed: schedule.seed,
    calls: counts.asked,
    held: counts.held,
    refused: counts.refused,
    failed: counts.failed,
    billed: provider.billed.length,
    events: events.length,
    interrupted: events.filter(({ settle }) => settle === 'interrupted').length,
    overdrawn: events.filter(({ counters }) => counters.some(({ limit }) => limit === OVERDRAFT_LIMIT)).length,
    lives: proxies.reduce((sum, proxy) => sum + proxy.lives(), 0),
    faults,
    digest: digest.value(),
  };
};

const violationAt = ({ time, digest }: World, seed: number, cause: unknown): OracleViolation => {
  const at = `SIM_SEED=${String(seed)} at ${String(Math.round(time.clock()))} ms`;
  if (cause instanceof OracleViolation)
    return new OracleViolation(cause.invariant, `${at}: ${cause.message}`, digest.value(), { cause });
  return new OracleViolation('fault', `${at}: fault: ${String(cause)}`, digest.value(), { cause });
};
