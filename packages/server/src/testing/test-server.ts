import { hash } from 'node:crypto';
import type { Snapshot, Subject } from '@tollgate/api';
import { START } from '@tollgate/ledger/contract';
import { makeMemoryPool, type Pool } from '@tollgate/ledger/pool';
import { silentLogger, type Timers } from '@tollgate/runtime';
import { bindBudget } from '@tollgate/snapshots';
import type { Store } from '@tollgate/store';
import { bearerToken } from '../auth/static-token.ts';
import { namespaceLabels, type Resources } from '../resources/resources-in-force.ts';
import { buildServer, type ServerDeps, type TollgateServer } from '../server.ts';

/** A listening server over a real store, with a clock and timers in the test's hand. */
export interface TestServer {
  readonly server: TollgateServer;
  readonly url: string;
  readonly pool: Pool;
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where the text is no JSON. */
  readonly json: unknown;
}

export interface TestClock {
  now: number;
}

export const TOKEN = 'test-token-of-this-run';

export const startTestServer = async (
  store: Store,
  clock: TestClock = { now: START },
  deps: Partial<ServerDeps> = {},
): Promise<TestServer> => {
  let pool: Pool | undefined;
  const server = await buildServer({
    store,
    snapshotFor: plainSnapshot,
    authenticate: bearerToken(TOKEN),
    clock: () => clock.now,
    monotonic: () => clock.now,
    timers: NO_TIMERS,
    logger: silentLogger(),
    systemNamespace: SYSTEM_NAMESPACE,
    loopbackOnly: true,
    ...deps,
    makePool: async (poolDeps) => (pool = await (deps.makePool ?? makeMemoryPool)(poolDeps)),
  });
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  if (!pool) throw new Error('the server made no pool');
  return {
    server,
    url,
    pool,
    ask: async (method, path, body, headers = {}) => {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text, json: parsed(text) };
    },
  };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Nothing that waits ever comes to pass. */
const NO_TIMERS: Timers = { after: () => () => undefined };

const SYSTEM_NAMESPACE = 'tollgate-system';

/** What a subject gets here depends on the budgets, and on the labels of its namespace, alone. */
const plainSnapshot = (subject: Subject, resources: Resources): Snapshot => {
  const place = {
    subject,
    systemNamespace: SYSTEM_NAMESPACE,
    namespaceLabels: namespaceLabels(resources, subject.namespace),
  };
  const budgets = resources.budgets.map((budget) => bindBudget(budget, place)).filter((budget) => budget !== null);
  return { ...EMPTY, version: hash('sha256', JSON.stringify([budgets, subject.labels]), 'hex'), subject, budgets };
};

const EMPTY = {
  contract: 1,
  organisation: 'test',
  routes: [],
  prices: { version: 'none', rows: [], aliases: {} },
} as const;
