/** All that a budget's status is decided from. */
import type { TokenBudget } from '@tollgate/api';
import type { Admission } from '../../programming/admitted-manifest.ts';
import type { ServerFault } from '../../programming/server-fault.ts';
import type { BudgetView } from '../../programming/server-views.ts';
import type { StoredObject } from '../stored-status.ts';

export interface BudgetWorld {
  readonly object: StoredObject;
  readonly admission: Admission<TokenBudget>;
  /** The server's last word on it; null: it has said nothing of a budget of this name. */
  readonly view: BudgetView | null;
  /** The generation that the server took last from this process; null: none. */
  readonly takenGeneration: number | null;
  readonly server: 'asked' | 'not asked' | ServerFault;
  readonly pods: {
    /** Opted in, bound by it, and without a proxy. */
    readonly lacking: number;
    /** Bound by it, with a proxy, and with connections to providers past it. */
    readonly direct: number;
  };
  /** Milliseconds since 1970. */
  readonly now: number;
}
