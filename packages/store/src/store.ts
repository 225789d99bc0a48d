import { randomUUID } from 'node:crypto';
import type { Subject } from '@tollgate/api';
import {
  counterKey,
  type CloseRequest,
  type CounterName,
  type EventsRequest,
  type HelloRequest,
} from '@tollgate/ledger';
import type { BlockSource, ChargedInEpoch, CounterTerms, JoinAnswer, ResolveCounter } from '@tollgate/ledger/pool';
import { abandon, type Abandonment } from './abandonment.ts';
import { allocateBlock, markLoaded, refundPool, unloadedBlocks } from './blocks.ts';
import { backendTraffic, type BackendTraffic, type TrafficScope } from './backend-traffic.ts';
import {
  connectedProxies,
  forgetServer,
  noteConnected,
  sweepConnected,
  type ConnectedNews,
  type ConnectedProxy,
} from './connected-proxies.ts';
import type { Connection } from './connection.ts';
import { counterUsage, type CounterUsage, type UsageScope } from './counter-usage.ts';
import {
  closeInstance,
  joinEpoch,
  openEpoch,
  registerInstance,
  sealOthers,
  sealOwnEpoch,
  subjectOf,
} from './epochs.ts';
import { explain, type ExplainedAttempt } from './explain.ts';
import { groupEvents, type EventGroup } from './event-groups.ts';
import { monthOf, removeMonths, type OldMonths } from './event-months.ts';
import { ingest, type Ingested } from './ingest.ts';
import { makeKnownRows } from './known-rows.ts';
import { listInstances, type InstanceRow } from './instances.ts';
import { budgetsSince, defineLimits, limitsSince, type LimitDefinition } from './limit-definitions.ts';
import { bookSeed, isInPlace, unbookedOf } from './seed-booking.ts';
import { readSeed, type SeedSource } from './seed.ts';
import {
  documentVersions,
  readDocument,
  writeDocument,
  type DocumentWriting,
  type OperatorDocument,
  type OperatorDocumentName,
} from './operator-documents.ts';
import { StoreUnavailable } from './store-unavailable.ts';
import { silentPods, type PodName } from './silent-pods.ts';
import { sharedEpochs } from './shared-epochs.ts';
import { tallies, type StoredTally } from './tallies.ts';
import {
  listUnresolved,
  releaseOverdue,
  releaseUnresolved,
  type OverdueRelease,
  type Release,
  type Unresolved,
} from './unresolved.ts';
import { makeUpkeep } from './upkeep.ts';
import { usageBy, type UsageBy, type UsageRange, type UsageRow } from './usage-report.ts';

/**
 * The durable end of the ledger: each operation is one transaction (making a counter takes three, one after another).
 * Times come from the caller's clock, which is the ledger's.
 */
export interface Store {
  readonly organisation: string;
  /** Blocks for a pool. `seed` tells what a limit would have counted; without it new counters start from nothing. */
  blocks(deps: { readonly clock: () => number; readonly seed?: SeedSource }): BlockSource;
  register(
    hello: Pick<HelloRequest, 'instance' | 'version' | 'subject'>,
    epoch: string,
    now: number,
  ): Promise<JoinAnswer>;
  /** One batch of one instance. `resolve` gives the window of charges that stand on no lease. */
  ingest(batch: EventsRequest, context: IngestContext): Promise<Ingested>;
  closeInstance(request: CloseRequest, now: number): Promise<readonly ChargedInEpoch[]>;
  /** The instance is gone and its spool with it: what it took is unresolved once its epochs close. */
  abandonInstance(lost: Abandonment, now: number): Promise<readonly string[] | null>;
  /** What nobody can account for, charged until released; at most 10,000 rows, the newest windows first. */
  listUnresolved(): Promise<readonly Unresolved[]>;
  /** Gives one row back to its counter. Returns how much it was; null: nothing is unresolved by this id. */
  releaseUnresolved(release: Release, now: number): Promise<bigint | null>;
  /** Gives back what has been unresolved for long enough, of budgets whose policy says so. Returns what it was. */
  releaseOverdue(overdue: OverdueRelease, now: number): Promise<readonly Unresolved[]>;
  /** The end of one server's own pool; a shared epoch is left alone. */
  sealEpoch(epoch: string, now: number): Promise<void>;
  /** Seals what earlier lives left open, but for the epoch that servers share. */
  sealOtherEpochs(epoch: string, now: number): Promise<void>;
  defineLimits(limits: readonly LimitDefinition[], now: number): Promise<void>;
  /** By budget, since when it has been in force. */
  budgetsSince(): Promise<ReadonlyMap<string, number>>;
  /** By `<namespace>/<budget>/<limit>`, since when each limit has been what it is. */
  limitsSince(): Promise<ReadonlyMap<string, number>>;
  /**
   * What the first call of a limit would find spent or leased beyond what its counter says, in the limit's unit. Scans
   * events, and books nothing: 0 where nothing is to be seeded.
   */
  seedOf(terms: CounterTerms, source: SeedSource): Promise<bigint>;
  /** Who an instance said it was; null: it never said hello. */
  subjectOf(instance: string): Promise<Subject | null>;
  /** Those that may have money in hand, the newest first; at most 10,000. */
  listInstances(): Promise<readonly InstanceRow[]>;
  /** Of one namespace's calls, or of all. */
  explain(requestId: string, namespace?: string | null): Promise<readonly ExplainedAttempt[]>;
  usageBy(by: UsageBy, range: UsageRange): Promise<readonly UsageRow[]>;
  counterUsage(scope: UsageScope): Promise<readonly CounterUsage[]>;
  tallies(): Promise<readonly StoredTally[]>;
  /** How the backends of routes fared, from the events recorded since. */
  backendTraffic(scope: TrafficScope): Promise<readonly BackendTraffic[]>;
  /** What the operator told, for all servers; the same content again is no change. */
  writeDocument(writing: DocumentWriting, now: number): Promise<'written' | 'unchanged'>;
  documentVersions(): Promise<ReadonlyMap<OperatorDocumentName, string>>;
  readDocument(name: OperatorDocumentName): Promise<OperatorDocument | null>;
  /**
   * Which proxies are on this server's streams; to be said again within 20 s, news or none. False: the server was not known,
   * and nothing that it said before is.
   */
  noteConnected(server: string, news: ConnectedNews): Promise<boolean>;
  /** On the streams of all servers. */
  connectedProxies(): Promise<readonly ConnectedProxy[]>;
  /** Those of these pods of whom no call was ever recorded. */
  silentPods(pods: readonly PodName[]): Promise<readonly PodName[]>;
  /** Every server may, every few seconds: forgets servers that are silent. */
  sweepConnected(): Promise<void>;
  forgetServer(server: string): Promise<void>;
  /**
   * Folds what batches appended into the sums, and makes the partitions of the next month. Every server may, as often as
   * it likes; a store also folds by itself after every few hundred batches.
   */
  tend(now: number): Promise<void>;
  /** Takes old months of events away, and touches no sum. Returns the months, as `2026-08`. */
  removeMonths(old: OldMonths): Promise<readonly string[]>;
  /** Throws `StoreUnavailable`, as `replaced` where the database is not the one that this store was opened on. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface IngestContext {
  readonly now: number;
  readonly resolve: ResolveCounter;
  readonly seed?: SeedSource;
}

export const storeOn = (connection: Connection, organisation: string): Store => {
  const { transact } = connection;
  const knownRows = makeKnownRows(connection);
  const upkeep = makeUpkeep(connection);

  /** Reads in one view what the counter starts from, or has missed, then books it. Whoever comes second finds it done. */
  const makeCounter = async (terms: CounterTerms, source: SeedSource | undefined): Promise<void> => {
    const seed = await transact((tx) => readSeed(tx, terms, source), 'snapshot');
    await transact((tx) => bookSeed(tx, terms, seed));
  };

  /** Rows are never deleted, so one that was seen need not be looked for again until limits change. */
  const seen = new Set<string>();
  const ensureCounter = async (terms: CounterTerms, seed: SeedSource | undefined): Promise<void> => {
    const key = `${counterKey(terms)}@${terms.window.id}`;
    if (seen.has(key)) return;
    if (!(await transact((tx) => isInPlace(tx, terms), 'snapshot'))) await makeCounter(terms, seed);
    if (seen.size >= MAX_SEEN) seen.clear();
    seen.add(key);
  };

  return {
    organisation,
    blocks: ({ clock, seed }) => ({
      openEpoch: async () => {
        const id = randomUUID();
        await transact((tx) => openEpoch(tx, id, clock()));
        return id;
      },
      join: (epoch, instance) => transact((tx) => joinEpoch(tx, epoch, instance, clock())),
      allocate: async (request) => {
        for (;;) {
          const outcome = await transact((tx) => allocateBlock(tx, request, clock()));
          if (outcome.kind !== 'missing') return outcome;
          await makeCounter(request.terms, seed);
        }
      },
      loaded: (epoch, ids) => transact((tx) => markLoaded(tx, epoch, ids)),
      unloaded: (epoch) => transact((tx) => unloadedBlocks(tx, epoch), 'snapshot'),
      refund: (epoch, id, returns) => transact((tx) => refundPool(tx, epoch, id, returns, clock())),
      shared: sharedEpochs(connection, clock),
    }),
    register: (hello, epoch, now) => transact((tx) => registerInstance(tx, hello, epoch, now)),
    ingest: async (batch, { now, resolve, seed }) => {
      const groups = groupEvents(batch);
      const present = presentTerms(groups, resolve);
      for (const { terms, charged } of present.values()) if (terms && charged) await ensureCounter(terms, seed);
      const windowOf = (name: CounterName) => {
        const terms = present.get(counterKey(name))?.terms;
        return { windowId: terms?.window.id ?? NO_WINDOW, unit: terms?.unit ?? 'cost' };
      };
      const resolved = await knownRows.resolve(groups, windowOf, monthOf(now));
      const done = await transact((tx) => ingest(tx, { instance: batch.instance, groups: resolved }, now));
      upkeep.afterBatch();
      return done;
    },
    closeInstance: (request, now) => transact((tx) => closeInstance(tx, request, now)),
    abandonInstance: (lost, now) => transact((tx) => abandon(tx, lost, now)),
    listUnresolved: () => transact((tx) => listUnresolved(tx), 'snapshot'),
    releaseUnresolved: (release, now) => transact((tx) => releaseUnresolved(tx, release, now)),
    releaseOverdue: (overdue, now) => transact((tx) => releaseOverdue(tx, overdue, now)),
    sealEpoch: (epoch, now) => transact((tx) => sealOwnEpoch(tx, epoch, now)),
    sealOtherEpochs: (epoch, now) => transact((tx) => sealOthers(tx, epoch, now)),
    defineLimits: async (limits, now) => {
      await transact((tx) => defineLimits(tx, limits, now));
      seen.clear();
    },
    budgetsSince: () => transact((tx) => budgetsSince(tx), 'snapshot'),
    limitsSince: () => transact((tx) => limitsSince(tx), 'snapshot'),
    seedOf: (terms, source) =>
      transact(async (tx) => {
        const { spent, open } = await unbookedOf(tx, terms, await readSeed(tx, terms, source));
        return spent + open;
      }, 'snapshot'),
    subjectOf: (instance) => transact((tx) => subjectOf(tx, instance), 'snapshot'),
    listInstances: () => transact((tx) => listInstances(tx), 'snapshot'),
    explain: (requestId, namespace = null) => transact((tx) => explain(tx, requestId, namespace), 'snapshot'),
    usageBy: (by, range) => transact((tx) => usageBy(tx, by, range), 'snapshot'),
    counterUsage: (range) => transact((tx) => counterUsage(tx, range), 'snapshot'),
    tallies: () => transact((tx) => tallies(tx), 'snapshot'),
    backendTraffic: (scope) => transact((tx) => backendTraffic(tx, scope), 'snapshot'),
    writeDocument: (writing, now) => transact((tx) => writeDocument(tx, writing, now)),
    documentVersions: () => transact(documentVersions, 'snapshot'),
    readDocument: (name) => transact((tx) => readDocument(tx, name), 'snapshot'),
    noteConnected: (server, news) => transact((tx) => noteConnected(tx, server, news)),
    connectedProxies: () => transact(connectedProxies, 'snapshot'),
    silentPods: (pods) => transact((tx) => silentPods(tx, pods), 'snapshot'),
    sweepConnected: () => transact(sweepConnected),
    forgetServer: (server) => transact((tx) => forgetServer(tx, server)),
    ping: async () => {
      const [row] = await transact((tx) => tx.query<{ id: string }>('SELECT id FROM organisation'), 'snapshot');
      if (row?.id !== organisation)
        throw new StoreUnavailable('the database is another one than at the start', { reason: 'replaced' });
    },
    tend: (now) => upkeep.tend(now),
    removeMonths: (old) => transact((tx) => removeMonths(tx, old)),
    close: async () => {
      await upkeep.settled();
      await connection.close();
    },
  };
};

/** A charge for a limit that no budget in force names any more: kept under the counter's name, in no window. */
const NO_WINDOW = 'none';
const MAX_SEEN = 10_000;

interface PresentTerms {
  /** Null: no budget in force names the limit. */
  readonly terms: CounterTerms | null;
  /** In this window, and not only in one that is over. */
  charged: boolean;
}

/**
 * The counters of a batch in their present windows, chosen once, so that all of the batch fall into the same. Charged in
 * them: what stands on no lease (Soft, Audit), and what stands on one that may have been of nothing (a free model's).
 */
const presentTerms = (groups: readonly EventGroup[], resolve: ResolveCounter): ReadonlyMap<string, PresentTerms> => {
  const found = new Map<string, PresentTerms>();
  for (const { sample } of groups) {
    for (const charge of sample.counters) {
      const key = counterKey(charge);
      let present = found.get(key);
      if (!present) found.set(key, (present = { terms: resolve(charge), charged: false }));
      if (charge.windowId === '' || charge.windowId === present.terms?.window.id) present.charged = true;
    }
  }
  return found;
};
