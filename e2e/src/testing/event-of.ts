/** The ledger event of one call's last attempt, once it has been delivered. */
import type { LedgerEvent } from '@tollgate/ledger';
import type { Harness } from '@tollgate/sidecar/testing';

const PATIENCE_MS = 10_000;

export const eventOf = async ({ controlPlane }: Harness, requestId: string | null): Promise<LedgerEvent> => {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const event = controlPlane.events.findLast((each) => each.requestId === requestId);
    if (event !== undefined) return event;
    if (performance.now() > deadline) throw new Error(`no event of ${String(requestId)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
