/** The conditions of a ModelRoute and their reasons. They are API: scripts and dashboards compare with them. */

/** True: the route is valid. */
export const ACCEPTED = 'Accepted';
/** True: every Secret, Service and inference service that it names was found. */
export const RESOLVED_REFS = 'ResolvedRefs';
/** True: calls that take it can be answered. */
export const READY = 'Ready';

/** `Invalid` is the programming's. */
export const REASON = {
  accepted: 'Accepted',
  notAccepted: 'NotAccepted',
  resolvedRefs: 'ResolvedRefs',
  secretNotFound: 'SecretNotFound',
  /** The operator may not look: the message names the command that lets it. The proxy may read the key all the same. */
  secretNotReadable: 'SecretNotReadable',
  serviceNotFound: 'ServiceNotFound',
  inferenceServiceNotFound: 'InferenceServiceNotFound',
  /** It is there, and has no address yet. */
  inferenceServiceNotReady: 'InferenceServiceNotReady',
  serving: 'Serving',
  /** Some backends cannot be used, or fail. */
  degraded: 'Degraded',
  /** No backend can be used. */
  noBackend: 'NoUsableBackend',
  /** Every backend fails. */
  failing: 'BackendsFailing',
} as const;
