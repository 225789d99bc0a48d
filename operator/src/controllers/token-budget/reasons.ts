/** The conditions of a TokenBudget and their reasons. They are API: scripts and dashboards compare with them. */

/** True: the budget is valid, and may be where it is. */
export const ACCEPTED = 'Accepted';
/** True: the server and every attached proxy run this version of it. */
export const PROGRAMMED = 'Programmed';
/** True: a limit is used up. */
export const EXCEEDED = 'Exceeded';
/** True: what is spent can be looked up and written down. */
export const STORE_AVAILABLE = 'StoreAvailable';
/** True: the budget holds. Its reason is the one in the columns. */
export const READY = 'Ready';

/** Reasons, by condition. `Invalid` and `NotPermitted` are those of the programming. */
export const REASON = {
  accepted: 'Accepted',
  /** The server or a proxy has not heard of this version yet. */
  pending: 'Pending',
  programmed: 'Programmed',
  /** Some attached proxies run another version, or pods that should carry the proxy do not. */
  partiallyProgrammed: 'PartiallyProgrammed',
  /** Nothing of it is in force: see Accepted. */
  notAccepted: 'NotAccepted',
  withinLimits: 'WithinLimits',
  limitReached: 'LimitReached',
  available: 'Available',
  /** The server does not answer the operator. */
  serverUnreachable: 'ServerUnreachable',
  /** The server answers, and its database does not. */
  databaseUnavailable: 'DatabaseUnavailable',
  /** The server does not know the operator's token, or took it for somebody else's. */
  serverRefuses: 'ServerRefuses',
  /** Nothing was asked yet. */
  unknown: 'Unknown',
} as const;

/** Reasons of events. */
export const EVENT = {
  threshold: 'BudgetThresholdReached',
  exhausted: 'BudgetExhausted',
  invalid: 'BudgetInvalid',
} as const;
