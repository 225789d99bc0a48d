/**
 * What the server says, asked every few seconds: the last answer stays readable while it is away. Tells which budgets and
 * routes have changed, and when the server goes or comes back.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Logger, Timers } from '@tollgate/runtime';
import { keyOf } from '../kube/kube-object.ts';
import type { ServerClient } from './server-client.ts';
import { ServerFault } from './server-fault.ts';
import type { BudgetView, RouteView } from './server-views.ts';

export interface ServerWatch {
  budget(key: string): BudgetView | null;
  route(key: string): RouteView | null;
  routes(): readonly RouteView[];
  /** Null: it answered last time. Before the first answer it is neither. */
  fault(): ServerFault | null;
  hasAnswered(): boolean;
  /** Asks now, rather than at the next turn. */
  poke(): void;
  stop(): Promise<void>;
}

export interface ServerWatchDeps {
  readonly client: Pick<ServerClient, 'budgets' | 'routes'>;
  /** Milliseconds from one answer to the next question. */
  readonly intervalMs: number;
  readonly timers: Timers;
  readonly log: Logger;
  readonly onBudgets: (keys: readonly string[]) => void;
  readonly onRoutes: (keys: readonly string[]) => void;
  /** It answers, or ceased to, or fails for another reason: what is said of everything changes. */
  readonly onTurn: () => void;
}

export const startServerWatch = (deps: ServerWatchDeps): ServerWatch => {
  const { client, intervalMs, timers, log, onBudgets, onRoutes, onTurn } = deps;
  let budgets: ReadonlyMap<string, BudgetView> = new Map();
  let routes: ReadonlyMap<string, RouteView> = new Map();
  let fault: ServerFault | null = null;
  let hasAnswered = false;
  let isStopped = false;
  let cancel: () => void = () => undefined;
  let running: Promise<void> | null = null;
  let isPoked = false;

  const ask = async (): Promise<void> => {
    const next = byName((await client.budgets()).budgets, ({ resource }) => resource.metadata);
    const nextRoutes = byName((await client.routes()).routes, ({ metadata }) => metadata);
    if (isStopped) return;
    const changed = changedKeys(budgets, next, figuresOf);
    const changedRoutes = changedKeys(routes, nextRoutes, (view) => view);
    budgets = next;
    routes = nextRoutes;
    turn(null);
    if (changed.length > 0) onBudgets(changed);
    if (changedRoutes.length > 0) onRoutes(changedRoutes);
  };
  const turn = (next: ServerFault | null): void => {
    const isTurn = !hasAnswered || fault?.reason !== next?.reason;
    if (isTurn && next !== null) log.warn({ reason: next.reason, err: next }, 'the server cannot be asked for figures');
    if (isTurn && next === null && fault !== null) log.info({}, 'the server answers again');
    fault = next;
    hasAnswered = true;
    if (isTurn) onTurn();
  };
  const run = (): void => {
    isPoked = false;
    running = ask()
      .catch((cause: unknown) => {
        if (!isStopped) turn(cause instanceof ServerFault ? cause : new ServerFault(null, 'failed', String(cause)));
      })
      .then(() => {
        running = null;
        if (!isStopped) cancel = timers.after(isPoked ? 0 : intervalMs, run);
      });
  };

  run();
  return {
    budget: (key) => budgets.get(key) ?? null,
    route: (key) => routes.get(key) ?? null,
    routes: () => [...routes.values()],
    fault: () => fault,
    hasAnswered: () => hasAnswered,
    poke: () => {
      isPoked = true;
      if (running !== null || isStopped) return;
      cancel();
      run();
    },
    stop: async () => {
      isStopped = true;
      cancel();
      await running;
    },
  };
};

const byName = <V>(views: readonly V[], nameOf: (view: V) => { readonly namespace: string; readonly name: string }) =>
  new Map(views.map((view) => [keyOf(nameOf(view)), view]));

const changedKeys = <V>(
  before: ReadonlyMap<string, V>,
  after: ReadonlyMap<string, V>,
  figures: (view: V) => unknown,
): string[] => {
  const changed = [...after].flatMap(([key, view]) => {
    const former = before.get(key);
    if (former === undefined) return [key];
    return former === view || isDeepStrictEqual(figures(former), figures(view)) ? [] : [key];
  });
  return [...changed, ...[...before.keys()].filter((key) => !after.has(key))];
};

/** All but the time at which they were true. */
const figuresOf = ({ resource, ...view }: BudgetView): unknown => ({
  ...view,
  resource: { ...resource, status: { ...resource.status, asOf: '' } },
});
