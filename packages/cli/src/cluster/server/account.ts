/** In whose name the server is asked, which decides what it shows: an account of its own namespace sees all. Pure. */
import type { AccountName } from '../open-cluster.ts';

export interface AccountOptions {
  /** As whose view is asked for; absent: all. */
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

/** Every namespace has it, and it may do nothing in the cluster. */
const USUAL_ACCOUNT = 'default';

export const accountOf = ({ namespace, serviceAccount }: AccountOptions, systemNamespace: string): AccountName => ({
  namespace: namespace ?? systemNamespace,
  name: serviceAccount ?? USUAL_ACCOUNT,
});
