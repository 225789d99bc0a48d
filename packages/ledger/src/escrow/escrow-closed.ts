/** The proxy is ending: no new holds. */
export class EscrowClosed extends Error {
  readonly code = 'escrow_closed';
}
