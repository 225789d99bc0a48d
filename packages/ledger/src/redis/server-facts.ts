import { RedisUnsuitable } from './redis-fault.ts';

/** What INFO says of the server behind a connection, as far as a pool depends on it. */
export interface ServerFacts {
  /** One life of the server process, and, below it, of its data's history. */
  readonly runId: string;
  readonly version: string;
  readonly policy: string;
}

export const parseInfo = (info: string): ServerFacts => {
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  return { runId: field('run_id'), version: field('redis_version'), policy: field('maxmemory_policy') };
};

/** Functions came with 7. */
const OLDEST = 7;

/** Throws `RedisUnsuitable`, which says what to change. */
export const checkSuitable = ({ version, policy }: ServerFacts): void => {
  if (!(Number.parseInt(version, 10) >= OLDEST)) {
    throw new RedisUnsuitable(
      'version',
      `this Redis is ${version === '' ? 'of no known version' : version}: the pool needs Redis 7 or later, for functions`,
    );
  }
  // Safe even so, since a key that is missing ends the epoch; but every eviction would strand what was pooled.
  if (policy !== 'noeviction') {
    throw new RedisUnsuitable(
      'eviction',
      `this Redis evicts keys (maxmemory-policy ${policy === '' ? 'unknown' : policy}): set maxmemory-policy noeviction`,
    );
  }
};
