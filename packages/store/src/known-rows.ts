import { commonIds, commonKey, commonRow, type CommonOfMonth } from './event-common.ts';
import type { Connection } from './connection.ts';
import type { EventGroup } from './event-groups.ts';
import { makeMonth } from './event-months.ts';
import { makeRemembered } from './remembered.ts';
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
  const counters = makeRemembered<WantedCounter, bigint>({
    most: MAX_KNOWN,
    ask: (missing) => transact((tx) => counterIds(tx, [...missing.values()])),
  });
  const commons = makeRemembered<CommonOfMonth, string>({
    most: MAX_KNOWN,
    ask: (missing) => transact((tx) => commonIds(tx, [...missing.values()])),
  });
  const months = makeRemembered<string, true>({
    most: MAX_KNOWN,
    ask: (missing) =>
      transact(async (tx) => {
        for (const month of missing.values()) await makeMonth(tx, month);
        return new Map([...missing.keys()].map((month) => [month, true]));
      }),
  });

  let lossesSeen = losses();
  const forgetAfterLoss = (): void => {
    if (losses() === lossesSeen) return;
    lossesSeen = losses();
    for (const rows of [counters, commons, months]) rows.forget();
  };

  return {
    resolve: async (groups, windowOf, month) => {
      forgetAfterLoss();
      await months.find(new Map([[month, month]]));
      const named = groups.map((group) => ({ group, charges: nameCharges(group, windowOf) }));
      const wanted = named.flatMap(({ charges }) => charges.map(({ counter }) => counter));
      const ids = await counters.find(new Map(wanted.map((counter) => [counterRowKey(counter), counter])));
      const counted = named.map(({ group, charges: all }) => {
        const charges = all.map(({ charge, counter }) => ({ charge, counterId: there(ids, counterRowKey(counter)) }));
        return { ...group, charges, row: { ...commonRow(group.sample, charges), month } };
      });
      const found = await commons.find(new Map(counted.map(({ row }) => [commonKey(row), row])));
      return counted.map(({ row, ...group }) => ({ ...group, common: there(found, commonKey(row)) }));
    },
  };
};

const MAX_KNOWN = 50_000;

const there = <Value>(rows: ReadonlyMap<string, Value>, key: string): Value => {
  const value = rows.get(key);
  if (value === undefined) throw new Error(`no row was found or made for ${key}`);
  return value;
};
