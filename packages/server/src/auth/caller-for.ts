/** What a bound ServiceAccount token may do here, whoever vouched for it: a signature, or the API server. */
import type { Caller, WorkloadIdentity } from './token-review.ts';

export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

export interface CallerRules {
  /** Who is of this namespace looks after the installation, and sees all. */
  readonly systemNamespace: string;
  /** The one that tells what holds; null: nobody may. */
  readonly operator: ServiceAccountName | null;
}

export interface VouchedToken {
  readonly workload: WorkloadIdentity;
  /** The token was made for them. */
  readonly audiences: { readonly ledger: boolean; readonly management: boolean };
}

/** With a token that is bound to no pod nobody leases, since it could be used anywhere; a gateway takes it, and charges its namespace. */
export const callerFor = (
  { workload, audiences }: VouchedToken,
  { systemNamespace, operator }: CallerRules,
): Caller => {
  const { namespace, serviceAccount, pod } = workload;
  const isOperator = namespace === operator?.namespace && serviceAccount === operator.name;
  const { management } = audiences;
  return {
    name: [namespace, serviceAccount, pod?.name ?? ''].join('/'),
    workload,
    ledger: audiences.ledger && pod !== null,
    calls: audiences.ledger,
    management: !management ? 'none' : isOperator || namespace === systemNamespace ? 'all' : 'namespace',
    isOperator: management && isOperator,
  };
};
