/** The conditions of an LLMInferenceService and their reasons. They are API: scripts and dashboards compare with them. */

/** True: it asks only for what Tollgate can do. */
export const ACCEPTED = 'Accepted';
/** True: its Deployment has as many ready pods as are wanted. */
export const WORKLOADS_READY = 'WorkloadsReady';
/** True: its Service stands. */
export const ROUTER_READY = 'RouterReady';
/** True: calls are answered. */
export const READY = 'Ready';

/** `Invalid` and `RefusedByServer` are the programming's. */
export const REASON = {
  accepted: 'Accepted',
  /** A field of KServe's that nothing here reads: the message names it. */
  unsupportedField: 'UnsupportedField',
  /** The API server does not take the Deployment or the Service that was made of it. */
  invalidTemplate: 'InvalidTemplate',
  notAccepted: 'NotAccepted',
  pending: 'Pending',
  available: 'Available',
  /** Some pods are not ready. */
  progressing: 'Progressing',
  noPods: 'NoReadyPods',
  scaledToZero: 'ScaledToZero',
  /** Another's Deployment or Service has the name. */
  nameTaken: 'NameTaken',
  /** The operator may not write there. */
  forbidden: 'Forbidden',
  serving: 'Serving',
} as const;
