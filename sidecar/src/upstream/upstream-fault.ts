/** How a try upstream can fail, as whoever pays for it must know it: whether the provider may have seen the request. */
export type UpstreamFaultKind =
  /** No byte of the request was sent. */
  | 'unreached'
  /** The address may not be dialled; nothing was sent. */
  | 'forbidden'
  /** The provider was silent for too long. */
  | 'silent'
  /** The call's whole time is over. */
  | 'expired'
  /** What came is no valid HTTP/1.1. */
  | 'invalid'
  /** The connection ended before the answer did. */
  | 'broken';

export class UpstreamFault extends Error {
  readonly kind: UpstreamFaultKind;
  /** The system's or TLS's own name for it, where there is one: `ECONNREFUSED`. */
  readonly code: string | null;

  constructor(kind: UpstreamFaultKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
  }
}
