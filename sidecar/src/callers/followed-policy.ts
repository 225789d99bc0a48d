/** What a gateway tells of its callers: by whose policies it decides, beside its own. */
import type { CallerName, RunningRequest } from '@tollgate/ledger';
import { encodeCallerName } from '@tollgate/ledger/wire';

export interface FollowedPolicy {
  readonly caller: CallerName;
  /** The version that it runs. */
  readonly snapshot: string;
}

/** As it travels: what a server that knows no such thing leaves unread. */
export interface GatewayRunning extends RunningRequest {
  /** All of them, each named as in the query of its stream. */
  readonly callers: readonly { readonly caller: string; readonly snapshot: string }[];
}

export const withCallers = (running: RunningRequest, followed: readonly FollowedPolicy[]): GatewayRunning => ({
  ...running,
  callers: followed.map(({ caller, snapshot }) => ({ caller: encodeCallerName(caller), snapshot })),
});
