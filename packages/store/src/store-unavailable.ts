/** Why a database cannot serve for now. */
export type UnavailableReason =
  | 'unreachable'
  | 'starting'
  | 'stopped'
  | 'disk-full'
  | 'out-of-memory'
  | 'too-many-connections'
  | 'read-only'
  | 'locked'
  | 'slow'
  | 'contention'
  /** Another, empty or not, than the one that this store was opened on: nothing that is remembered of it holds. */
  | 'replaced';

/** The database did not answer, or not in time. Whether a commit took effect is unknown; every write here may be repeated. */
export class StoreUnavailable extends Error {
  readonly code = 'store_unavailable';
  readonly reason: UnavailableReason;

  constructor(
    message: string,
    { reason = 'unreachable', cause }: { reason?: UnavailableReason; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = 'StoreUnavailable';
    this.reason = reason;
  }
}
