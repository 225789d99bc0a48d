/**
 * The spool could not be opened or written, so nothing that stands on it may happen: no new hold is given.
 * `locked`: another live process has the folder. `write`: the disk refused a record (full, read-only, broken).
 * `full`: its own bound is near, and what is left is for settlements. `lost`: its folder was taken away under it.
 * `closed`: written to after its end.
 */
export class SpoolFault extends Error {
  readonly code = 'spool_fault';
  readonly kind: 'locked' | 'open' | 'write' | 'full' | 'lost' | 'closed';

  constructor(kind: SpoolFault['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SpoolFault';
    this.kind = kind;
  }
}
