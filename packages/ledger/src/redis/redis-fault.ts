import { LedgerUnavailable } from '../lease-port.ts';

/** This Redis cannot hold a pool, and waiting will not change it: whoever runs it has to. */
export class RedisUnsuitable extends LedgerUnavailable {
  readonly reason: 'version' | 'eviction' | 'permission';

  constructor(reason: RedisUnsuitable['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RedisUnsuitable';
    this.reason = reason;
  }
}

/** The library that was called is not there: the server restarted without it, or someone flushed functions. */
export const isMissingFunction = (error: unknown): boolean =>
  error instanceof Error && /^ERR Function not found/.test(error.message);

/** The library of this name was loaded before. */
export const isLoadedAlready = (error: unknown): boolean =>
  error instanceof Error && /already exists/.test(error.message);

/** A replica: the server was demoted, and only a new connection may find the one that was promoted. */
export const isReadOnly = (error: unknown): boolean => error instanceof Error && /READONLY/.test(error.message);

export const isNoAmount = (error: unknown): boolean =>
  error instanceof Error && /TOLLGATE not an amount/.test(error.message);

export const isForbidden = (error: unknown): boolean => error instanceof Error && /^NOPERM/.test(error.message);
