/** The control plane in this process: manifests in, snapshots and status out, over a store. */
import { createHash } from 'node:crypto';
import type { Snapshot, Subject } from '@tollgate/api';
import type { LLMInferenceService, ModelRoute, Resource, TokenBudget } from '@tollgate/api/schema';
import { makeMemoryPool } from '@tollgate/ledger/pool';
import { shippedPriceTable } from '@tollgate/prices/data';
import { systemTimers } from '@tollgate/runtime';
import type { Logger } from '@tollgate/runtime';
import { bearerToken, buildServer } from '@tollgate/server';
import type { Resources } from '@tollgate/server';
import { compileSnapshot } from '@tollgate/snapshots';
import type { Store } from '@tollgate/store';
import { mockSnapshot } from './policy/mock-snapshot.ts';
import { secretsOf, withRouteStatus } from './policy/route-status.ts';
import type { SecretLookup, SecretName } from './secrets.ts';

export interface ControlPlaneOptions {
  readonly store: Store;
  readonly token: string;
  readonly port: number;
  readonly mockUrl: string | null;
  readonly now: () => number;
  readonly log: Logger;
  readonly lookUpSecret: (secret: SecretName) => SecretLookup;
  /** Every key that routes name, each time they change. */
  readonly onSecrets: (secrets: readonly SecretName[]) => void;
}

export interface ControlPlane {
  readonly url: string;
  apply(resources: readonly Resource[]): Promise<void>;
  close(): Promise<void>;
}

/** Budgets of this namespace may select others; a laptop rarely has any. */
export const SYSTEM_NAMESPACE = 'tollgate-system';
/** How soon a key that was written, or taken away, shows in the status of its routes. */
const RECHECK_MS = 2000;

export const startControlPlane = async (options: ControlPlaneOptions): Promise<ControlPlane> => {
  const { store, token, port, mockUrl, now, log, lookUpSecret, onSecrets } = options;
  const prices = shippedPriceTable();
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const snapshotFor = (subject: Subject, { budgets, routes, inferenceServices = [] }: Resources): Snapshot => {
    const snapshot = compileSnapshot({
      organisation: store.organisation,
      subject,
      budgets,
      routes,
      inferenceServices,
      prices,
      systemNamespace: SYSTEM_NAMESPACE,
      hash,
    });
    return mockUrl === null ? snapshot : mockSnapshot(snapshot, mockUrl, hash);
  };
  const server = await buildServer({
    store,
    makePool: makeMemoryPool,
    snapshotFor,
    authenticate: bearerToken(token),
    clock: now,
    timers: systemTimers,
    logger: log,
    systemNamespace: SYSTEM_NAMESPACE,
    loopbackOnly: true,
  });

  const firstSeen = new Map<string, string>();
  let resources: readonly Resource[] = [];
  let seen = '';
  let cancelRecheck: () => void = () => undefined;
  let isClosed = false;

  const put = async (): Promise<void> => {
    const routes = ofKind('ModelRoute', resources);
    onSecrets(secretsOf(routes));
    const next: Resources = {
      budgets: ofKind('TokenBudget', resources),
      routes: routes.map((route) => withRouteStatus(route, { lookUp: lookUpSecret, since: sinceOf(route) })),
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

  try {
    const { url } = await server.listen({ host: '127.0.0.1', port });
    recheck();
    return {
      url,
      apply: (next) => {
        resources = next;
        return put();
      },
      close: () => {
        isClosed = true;
        cancelRecheck();
        return server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
};

interface Kinds {
  readonly TokenBudget: TokenBudget;
  readonly ModelRoute: ModelRoute;
  readonly LLMInferenceService: LLMInferenceService;
}

const ofKind = <K extends keyof Kinds>(kind: K, resources: readonly Resource[]): Extract<Resource, { kind: K }>[] =>
  resources.filter((resource): resource is Extract<Resource, { kind: K }> => resource.kind === kind);
