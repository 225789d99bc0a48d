/** What each fault does to Redis, and how it passes again. */
import type { FaultAction } from './schedule.ts';
import type { World } from './world.ts';

type RedisFault = Extract<
  FaultAction,
  {
    readonly kind:
      | 'empty-redis'
      | 'flush-redis'
      | 'stale-redis'
      | 'promote-replica'
      | 'flap-redis'
      | 'edit-redis'
      | 'pause-redis'
      | 'slow-redis'
      | 'cut-off-redis'
      | 'lose-redis-answers'
      | 'split-redis';
  }
>;

/** False: it found nothing to strike. */
export const strikeRedis = ({ time, redis, servers }: World, fault: RedisFault): boolean => {
  const { faults } = redis;
  const main = redis.main();
  const after = (ms: number, act: () => void): void => void time.timers.after(ms, act);
  /** What it holds is not what was written there last. */
  const changed = (change: () => void): void => {
    change();
    main.epoch = '';
  };
  const down = (ms: number): void => {
    faults.isDown = true;
    after(ms, () => {
      faults.isDown = false;
    });
  };

  switch (fault.kind) {
    case 'empty-redis':
      changed(() => {
        main.state.restart(null);
      });
      down(fault.downMs);
      return true;
    case 'flush-redis':
      changed(main.state.flush);
      return true;
    case 'stale-redis':
    case 'promote-replica': {
      const copy = main.state.copy();
      after(fault.ageMs, () => {
        changed(() => {
          main.state.restart(copy);
        });
        if (fault.kind === 'stale-redis') down(fault.downMs);
      });
      return true;
    }
    case 'flap-redis': {
      const copy = main.state.copy();
      after(fault.ageMs, () => {
        changed(() => {
          main.state.resync(copy);
        });
      });
      return true;
    }
    case 'edit-redis': {
      const balances = main.state.balances();
      const balance = balances[fault.pick % Math.max(1, balances.length)];
      if (!balance) return false;
      changed(() => {
        main.state.write(balance.key, BigInt(fault.amount));
      });
      return true;
    }
    case 'pause-redis':
      faults.isPaused = true;
      after(fault.forMs, redis.resume);
      return true;
    case 'slow-redis':
      faults.delayMs = fault.delayMs;
      after(fault.forMs, () => {
        faults.delayMs = 0;
      });
      return true;
    case 'cut-off-redis':
      faults.cutOff.add(fault.server);
      after(fault.forMs, () => {
        faults.cutOff.delete(fault.server);
      });
      return true;
    case 'lose-redis-answers':
      faults.answersToLose += fault.answers;
      return true;
    case 'split-redis': {
      const copy = main.state.copy();
      after(fault.ageMs, () => {
        redis.split([servers.length - 1], copy);
        after(fault.forMs, redis.heal);
      });
      return true;
    }
  }
};
