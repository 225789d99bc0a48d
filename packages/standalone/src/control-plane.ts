/** The control plane in this process: manifests in, snapshots and status out, over a store. */
import { createHash } from 'node:crypto';
import type { Snapshot, Subject } from '@tollgate/api';
import type { LLMInferenceService, ModelRoute, Resource, TokenBudget } from '@tollgate/api/schema';
import { makeMemoryPool } from '@tollgate/ledger/pool';
import { shippedPriceTable } from '@tollgate/prices/data';
import { monotonicClock, systemTimers } from '@tollgate/runtime';
import type { ListenAddress, Logger } from '@tollgate/runtime';
import { buildServer, namespaceLabels } from '@tollgate/server';
import type { RecallChannel, Resources, ServerDeps, TokenReviewer } from '@tollgate/server';
import { compileSnapshot } from '@tollgate/snapshots';
import type { Store } from '@tollgate/store';
import { mockSnapshot } from './policy/mock-snapshot.ts';
import { secretsOf, withRouteStatus } from './policy/route-status.ts';
import type { SecretLookup, SecretName } from './secrets.ts';

export interface ControlPlaneOptions {
  readonly store: Store;
  readonly authenticate: TokenReviewer;
  /** Refuse any name for us but loopback's. */
  readonly loopbackOnly: boolean;
  /** Budgets of this namespace may select others. */
  readonly systemNamespace: string;
  readonly mockUrl: string | null;
  readonly now: () => number;
  readonly log: Logger;
  /** Where the keys lie on this machine; null where they lie with the proxies, and routes have no status here. */
  readonly keys: KeysHere | null;
  /** In memory unless told otherwise. */
  readonly makePool?: ServerDeps['makePool'];
  /** Batches of events that are taken in at once: less than the store has connections, where it has several. */
  readonly batches: number;
  /** Between servers that share a pool. */
  readonly recalls?: RecallChannel;
  /** The operator tells what holds; nothing is applied from here. */
  readonly isToldByOperator?: boolean;
  /** All requests fail until a process is started on it anew. */
  readonly onDatabaseReplaced: () => void;
  /** This server's name among those of one database, new at each start. */
  readonly server?: string;
}

export interface KeysHere {
  readonly lookUpSecret: (secret: SecretName) => SecretLookup;
  /** Every key that routes name, each time they change. */
  readonly onSecrets: (secrets: readonly SecretName[]) => void;
}

export interface ControlPlane {
  apply(resources: readonly Resource[]): Promise<void>;
  /** After the first resources: a proxy that came before them would hear that there are no budgets. */
  listen(address: ListenAddress): Promise<{ readonly url: string }>;
  close(): Promise<void>;
}

export const SYSTEM_NAMESPACE = 'tollgate-system';
/** How soon a key that was written, or taken away, shows in the status of its routes. */
const RECHECK_MS = 2000;

export const openControlPlane = async (options: ControlPlaneOptions): Promise<ControlPlane> => {
  const { store, systemNamespace, mockUrl, now, log, keys } = options;
  const prices = shippedPriceTable();
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const snapshotFor = (subject: Subject, resources: Resources, routesOf?: Subject): Snapshot => {
    const { budgets, routes, inferenceServices = [] } = resources;
    const snapshot = compileSnapshot({
      organisation: store.organisation,
      subject,
      ...(routesOf === undefined ? {} : { routesOf }),
      budgets,
      routes,
      inferenceServices,
      prices,
      systemNamespace,
      namespaceLabels: namespaceLabels(resources, subject.namespace),
      hash,
    });
    return mockUrl === null ? snapshot : mockSnapshot(snapshot, mockUrl, hash);
  };
  const server = await buildServer({
    store,
    makePool: options.makePool ?? makeMemoryPool,
    snapshotFor,
    authenticate: options.authenticate,
    clock: now,
    monotonic: monotonicClock,
    timers: systemTimers,
    logger: log,
    systemNamespace,
    loopbackOnly: options.loopbackOnly,
    bounds: { batches: options.batches },
    onDatabaseReplaced: options.onDatabaseReplaced,
    ...(options.recalls ? { recalls: options.recalls } : {}),
    ...(options.isToldByOperator === undefined ? {} : { isToldByOperator: options.isToldByOperator }),
    ...(options.server === undefined ? {} : { server: options.server }),
  });

  const firstSeen = new Map<string, string>();
  let resources: readonly Resource[] = [];
  let seen = '';
  let cancelRecheck: () => void = () => undefined;
  let isClosed = false;

  const put = async (): Promise<void> => {
    const routes = ofKind('ModelRoute', resources);
    keys?.onSecrets(secretsOf(routes));
    const next: Resources = {
      budgets: ofKind('TokenBudget', resources),
      routes: keys
        ? routes.map((route) => withRouteStatus(route, { lookUp: keys.lookUpSecret, since: sinceOf(route) }))
        : routes,
      inferenceServices: ofKind('LLMInferenceService', resources),
    };
    const text = JSON.stringify(next);
    if (text === seen) return;
    await server.setResources(next);
    seen = text;
  };
  const sinceOf = ({ kind, metadata }: Resource): string => {
    const key = `${kind} ${metadata.namespace}/${metadata.name}`;
    const since = firstSeen.get(key) ?? new Date(now()).toISOString();
    firstSeen.set(key, since);
    return since;
  };
  const recheck = (): void => {
    cancelRecheck = systemTimers.after(RECHECK_MS, () => {
      put()
        .catch((err: unknown) => log.warn({ err }, 'routes not checked'))
        .finally(() => {
          if (!isClosed) recheck();
        });
    });
  };

  return {
    apply: (next) => {
      resources = next;
      return put();
    },
    listen: async (address) => {
      const listening = await server.listen(address);
      if (keys) recheck();
      return listening;
    },
    close: () => {
      isClosed = true;
      cancelRecheck();
      return server.close();
    },
  };
};

interface Kinds {
  readonly TokenBudget: TokenBudget;
  readonly ModelRoute: ModelRoute;
  readonly LLMInferenceService: LLMInferenceService;
}

const ofKind = <K extends keyof Kinds>(kind: K, resources: readonly Resource[]): Extract<Resource, { kind: K }>[] =>
  resources.filter((resource): resource is Extract<Resource, { kind: K }> => resource.kind === kind);
