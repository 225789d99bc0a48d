import { commonIds, commonRow, type CommonRow } from './event-common.ts';
import type { Connection } from './connection.ts';
import type { EventGroup } from './event-groups.ts';
import { makeMonth } from './event-months.ts';
import {
  counterIds,
  counterRowKey,
  nameCharges,
  type ResolvedCharge,
  type WantedCounter,
  type WindowOf,
} from './resolved-charges.ts';

/**
 * Rows that are made once and stay: counters, kinds of events, partitions. Looked up or made in transactions of their
 * own, before the batch's, and then remembered: a batch of known kinds asks for none of them, and what a batch that
 * failed had made is not taken for there. Forgotten when a connection is lost, for the database may have been restored.
 */
export interface ResolvedGroup extends EventGroup {
  readonly charges: readonly ResolvedCharge[];
  /** The row of `event_common`. */
  readonly common: string;
}

export interface KnownRows {
  resolve(groups: readonly EventGroup[], windowOf: WindowOf, month: string): Promise<readonly ResolvedGroup[]>;
}

export const makeKnownRows = ({ transact, losses }: Pick<Connection, 'transact' | 'losses'>): KnownRows => {
  const counters = new Map<string, bigint>();
  const commons = new Map<string, string>();
  const months = new Set<string>();
  let lossesSeen = losses();

  const forgetAfterLoss = (): void => {
    if (losses() === lossesSeen) return;
    lossesSeen = losses();
    for (const known of [counters, commons, months]) known.clear();
  };

  const findCounters = async (wanted: readonly WantedCounter[]): Promise<(counter: WantedCounter) => bigint> => {
    const missing = new Map<string, WantedCounter>();
    for (const counter of wanted) {
      const key = counterRowKey(counter);
      if (!counters.has(key)) missing.set(key, counter);
    }
    if (missing.size > 0) addAll(counters, await transact((tx) => counterIds(tx, [...missing.values()])));
    return (counter) => known(counters, counterRowKey(counter));
  };

  const findCommons = async (rows: readonly CommonRow[], month: string): Promise<(row: CommonRow) => string> => {
    const keyOf = (hash: string): string => `${month} ${hash}`;
    const missing = new Map<string, CommonRow>();
    for (const row of rows) if (!commons.has(keyOf(row.hash))) missing.set(row.hash, row);
    if (missing.size > 0) {
      const found = await transact((tx) => commonIds(tx, month, [...missing.values()]));
      addAll(commons, new Map([...found].map(([hash, id]) => [keyOf(hash), id])));
    }
    return ({ hash }) => known(commons, keyOf(hash));
  };

  return {
    resolve: async (groups, windowOf, month) => {
      forgetAfterLoss();
      if (!months.has(month)) {
        await transact((tx) => makeMonth(tx, month));
        months.add(month);
      }
      const named = groups.map((group) => ({ group, charges: nameCharges(group, windowOf) }));
      const idOf = await findCounters(named.flatMap(({ charges }) => charges.map(({ counter }) => counter)));
      const resolved = named.map(({ group, charges }) => {
        const found = charges.map(({ charge, counter }) => ({ charge, counterId: idOf(counter) }));
        return { group, charges: found, row: commonRow(group.sample, found) };
      });
      const commonOf = await findCommons(
        resolved.map(({ row }) => row),
        month,
      );
      return resolved.map(({ group, charges, row }) => ({ ...group, charges, common: commonOf(row) }));
    },
  };
};

const MAX_KNOWN = 50_000;

const addAll = <Value>(to: Map<string, Value>, found: ReadonlyMap<string, Value>): void => {
  if (to.size + found.size > MAX_KNOWN) to.clear();
  for (const [key, value] of found) to.set(key, value);
};

const known = <Value>(rows: ReadonlyMap<string, Value>, key: string): Value => {
  const value = rows.get(key);
  if (value === undefined) throw new Error(`no row was found or made for ${key}`);
  return value;
};
