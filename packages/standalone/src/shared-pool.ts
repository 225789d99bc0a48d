/** The pool of several servers, in a Redis that they share. Loaded only where one is named. */
import { randomUUID } from 'node:crypto';
import { LedgerUnavailable } from '@tollgate/ledger';
import { makeLedgerClock, makePool, type LedgerClock } from '@tollgate/ledger/pool';
import { openRecallChannel, openRedisPoolState, RedisUnsuitable, type RedisPoolState } from '@tollgate/ledger/redis';
import type { Logger, Timers } from '@tollgate/runtime';
import type { RecallChannel, ServerDeps } from '@tollgate/server';
import { errorMessage } from './error-code.ts';
import { StandaloneError } from './standalone-error.ts';

export interface SharedPool {
  readonly makePool: ServerDeps['makePool'];
  readonly recalls: RecallChannel;
  /** The ledger's time: by Redis's clock, which chooses the windows. */
  readonly now: () => number;
  release(): void;
}

export interface SharedPoolOptions {
  readonly redisUrl: string;
  readonly organisation: string;
  /** How long to wait for a Redis that is not there yet. */
  readonly waitMs: number;
  readonly now: () => number;
  readonly timers: Timers;
  readonly log: Logger;
}

const AGAIN_MS = 500;

/** Throws where this Redis holds no pool, or none came in time. */
export const openSharedPool = async (options: SharedPoolOptions): Promise<SharedPool> => {
  const { redisUrl: url, organisation, now, log } = options;
  const server = randomUUID();
  const ledgerClock = makeLedgerClock({ clock: now });
  const onFault = (err: unknown, step: string): void => log.warn({ err, step }, 'redis fault, tried again');
  const state = await openState(options, ledgerClock, onFault);
  const channel = openRecallChannel({ url, organisation, server, onFault });
  log.info({ name: state.library, kind: state.fence }, 'pool in redis');
  return {
    makePool: (deps) => makePool({ ...deps, state, clock: now, sharedAs: server }),
    recalls: channel,
    now: () => ledgerClock.now(),
    release: () => {
      channel.release();
      state.release();
    },
  };
};

const openState = async (
  { redisUrl: url, organisation, waitMs, now, timers, log }: SharedPoolOptions,
  ledgerClock: LedgerClock,
  onFault: (fault: unknown, doing: string) => void,
): Promise<RedisPoolState> => {
  const until = now() + waitMs;
  for (;;) {
    try {
      return await openRedisPoolState({
        url,
        organisation,
        token: randomUUID(),
        onTime: (stateTimeMs) => ledgerClock.heard(stateTimeMs),
        onFault,
      });
    } catch (cause) {
      if (!(cause instanceof LedgerUnavailable) || cause instanceof RedisUnsuitable || now() >= until) {
        throw new StandaloneError('config', `the pool cannot be kept in this Redis: ${errorMessage(cause)}`, {
          todo: 'check REDIS_URL: Redis 7 or later, with maxmemory-policy noeviction; without it each server has a pool of its own',
          cause,
        });
      }
      log.warn({ err: cause, retryInMs: AGAIN_MS }, 'waiting for redis');
      await new Promise<void>((resolve) => timers.after(AGAIN_MS, resolve));
    }
  }
};
