import type { CounterKey } from '../pool/pool-state.ts';

/**
 * Keys of the pool. All of one installation share `{organisation}`, so that a call stays in one slot; all but the epoch's
 * own carry the epoch, so that what an earlier one left cannot be reached.
 */
export interface PoolKeys {
  readonly epoch: string;
  readonly servers: string;
  of(epochId: string): EpochKeys;
}

export interface EpochKeys {
  /** ZSET: counters by window end. */
  readonly index: string;
  /** SET: instances that may lease. */
  readonly members: string;
  /** HASH: what was drained and is not known to be refunded. */
  readonly drains: string;
  readonly counterPrefix: string;
  readonly instancePrefix: string;
  counter(key: CounterKey): string;
  instance(name: string): string;
}

export const makePoolKeys = (organisation: string): PoolKeys => {
  // A brace would end the part that is hashed.
  const base = `tg:{${organisation.replace(/[{}]/g, '_')}}`;
  return {
    epoch: `${base}:ep`,
    servers: `${base}:servers`,
    of: (epochId) => {
      const counterPrefix = `${base}:${epochId}:c:`;
      const instancePrefix = `${base}:${epochId}:i:`;
      return {
        index: `${base}:${epochId}:index`,
        members: `${base}:${epochId}:members`,
        drains: `${base}:${epochId}:drains`,
        counterPrefix,
        instancePrefix,
        counter: (key) => `${counterPrefix}${key}`,
        instance: (name) => `${instancePrefix}${name}`,
      };
    },
  };
};
