import type { LimitUnit } from '@tollgate/api';
import { counterKey, type CounterCharge, type CounterName } from '@tollgate/ledger';
import type { Transaction } from './connection.ts';
import { createStrayCounter, findCounterIds, type CounterKey } from './counter-row.ts';
import type { EventGroup } from './event-groups.ts';

/** The charges of a group with their counters named and found. */
export interface ResolvedCharge {
  /** With the window it falls into, also where the proxy named none. */
  readonly charge: CounterCharge;
  readonly counterId: bigint;
}

export interface WantedCounter extends CounterKey {
  readonly unit: LimitUnit;
}

/** The window, by the ledger's clock, of a charge that stands on no lease (Soft, Audit). */
export type WindowOf = (name: CounterName) => { readonly windowId: string; readonly unit: LimitUnit };

export interface NamedCharge {
  readonly charge: CounterCharge;
  readonly counter: WantedCounter;
}

export const nameCharges = ({ sample }: EventGroup, windowOf: WindowOf): readonly NamedCharge[] =>
  sample.counters.map((sent) => {
    const present = windowOf(sent);
    const windowId = sent.windowId === '' ? present.windowId : sent.windowId;
    const { budget, limit, partition } = sent;
    return { charge: { ...sent, windowId }, counter: { budget, limit, partition, windowId, unit: present.unit } };
  });

export const counterRowKey = (counter: CounterKey): string => `${counterKey(counter)}@${counter.windowId}`;

/** The ids of counters by `counterRowKey`. Those that this database never had are made. Rows of counters are never deleted. */
export const counterIds = async (
  tx: Transaction,
  wanted: readonly WantedCounter[],
): Promise<ReadonlyMap<string, bigint>> => {
  for (;;) {
    const found = await findCounterIds(tx, wanted);
    const strays = wanted.filter((_, at) => found[at] === undefined);
    if (strays.length === 0) return new Map(wanted.map((key, at) => [counterRowKey(key), found[at] ?? 0n]));
    for (const key of strays) await createStrayCounter(tx, key, key.unit);
  }
};
