import type { LimitUnit } from '@tollgate/api';
import { counterKey, type CounterCharge, type CounterName, type LedgerEvent } from '@tollgate/ledger';
import type { Transaction } from './connection.ts';
import { createStrayCounter, findCounterIds, type CounterKey } from './counter-row.ts';

/** The charges of events with the ids of their counters. Locks nothing: rows of counters are made once and stay. */
export interface ResolvedEvent {
  readonly event: LedgerEvent;
  readonly charges: readonly ResolvedCharge[];
}

export interface ResolvedCharge {
  /** With the window it falls into, also where the proxy named none. */
  readonly charge: CounterCharge;
  readonly counterId: bigint;
}

/** The window, by the ledger's clock, of a charge that stands on no lease (Soft, Audit). */
export type WindowOf = (name: CounterName) => { readonly windowId: string; readonly unit: LimitUnit };

export const resolveCharges = async (
  tx: Transaction,
  events: readonly LedgerEvent[],
  windowOf: WindowOf,
): Promise<readonly ResolvedEvent[]> => {
  const keys = new Map<string, CounterKey & { unit: LimitUnit }>();
  const named = events.map((event) => ({
    event,
    charges: event.counters.map((sent) => {
      const present = windowOf(sent);
      const windowId = sent.windowId === '' ? present.windowId : sent.windowId;
      const key = `${counterKey(sent)}@${windowId}`;
      const { budget, limit, partition } = sent;
      if (!keys.has(key)) keys.set(key, { budget, limit, partition, windowId, unit: present.unit });
      return { charge: sent.windowId === '' ? { ...sent, windowId } : sent, key };
    }),
  }));
  const ids = await idsOf(tx, keys);
  return named.map(({ event, charges }) => ({
    event,
    charges: charges.map(({ charge, key }) => ({ charge, counterId: ids.get(key) ?? 0n })),
  }));
};

const idsOf = async (
  tx: Transaction,
  keys: ReadonlyMap<string, CounterKey & { unit: LimitUnit }>,
): Promise<ReadonlyMap<string, bigint>> => {
  if (keys.size === 0) return new Map();
  const list = [...keys];
  const found = await findCounterIds(
    tx,
    list.map(([, key]) => key),
  );
  const strays = list.filter((_, at) => found[at] === undefined);
  if (strays.length > 0) {
    for (const [, key] of strays) await createStrayCounter(tx, key, key.unit);
    return idsOf(tx, keys);
  }
  return new Map(list.map(([key], at) => [key, found[at] ?? 0n]));
};
