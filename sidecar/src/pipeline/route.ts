/**
 * Chooses where the call may go and which budgets bind it. After `read`, since both depend on the model; before
 * `attempt`, which takes the candidates in this order.
 */
import { refuse, staleRefusal } from '../refusal.ts';
import {
  baseOf,
  outputCapField,
  usableBackends,
  type MatchedRule,
  type UpstreamOverrides,
} from '../policy/backends.ts';
import type { SnapshotBackend } from '@tollgate/api';
import type { Candidate, Destination, Exchange, Outcome, Stage } from '../exchange.ts';
import type { PolicyBook } from '../policy/call-policy.ts';
import type { PolicySource, ReadyPolicy } from '../policy/policy-feed.ts';
import { overrideRow, type PriceRow } from '@tollgate/metering';
import { priceProvider } from '@tollgate/prices/table';

export interface RouteDeps {
  /** By which this call is judged: it waits for the first snapshot. */
  readonly policyOf: (exchange: Exchange) => PolicySource;
  readonly overrides: UpstreamOverrides;
  readonly requireBudget: boolean;
}

/** The price table's provider ids, for calls that no route takes. */
const DEFAULT_PRICED_AS = { openai: 'openai', anthropic: 'anthropic', gemini: 'google', azure: 'azure' } as const;

/** Models and queries come from callers: a bounded memory, so that a hostile one cannot grow it. */
const MOST_REMEMBERED = 256;
const LONGEST_REMEMBERED = 1_024;

export const route = ({ policyOf, overrides, requireBudget }: RouteDeps): Stage => {
  const byBook = new WeakMap<PolicyBook, Map<string, readonly Candidate[]>>();
  let known = new Map<string, readonly Candidate[]>();
  /** The policy that they are of: of a sidecar always the same, until it changes. */
  let knownBook: PolicyBook | null = null;

  return function route(exchange) {
    const policy = policyOf(exchange);
    const ready = policy.current();
    return ready instanceof Promise
      ? ready.then((late) => decide(exchange, policy, late))
      : decide(exchange, policy, ready);
  };

  function decide(exchange: Exchange, { isStale }: PolicySource, ready: ReadyPolicy | null): Outcome {
    const { destination, envelope, model } = exchange;
    if (destination === null || envelope === null) throw new Error('route: read must run first');
    if (ready === null) return refuse('not_ready', 'this proxy has no policy from the control plane yet');

    const matched = ready.rules.find(model);
    const callPolicy = ready.book.policyFor(model, envelope.user, ownRoute(matched, ready.book));
    if (requireBudget && callPolicy.hard.length + callPolicy.soft.length + callPolicy.audit.length === 0) {
      return refuse('no_budget', `no TokenBudget matches model ${JSON.stringify(model)}, and this proxy requires one`);
    }
    if (callPolicy.rules !== null && isStale(callPolicy.rules)) return staleRefusal(callPolicy.hard);
    exchange.book = ready.book;
    exchange.policy = callPolicy;

    const candidates = candidatesOf(destination, matched, ready.book, model);
    if (candidates.length === 0) {
      return refuse('no_backend', explainNoBackend(destination, matched));
    }
    exchange.candidates = candidates;
    return undefined;
  }

  /** The same for all calls of one policy to one path for one model, so they are found once. */
  function candidatesOf(
    destination: Destination,
    matched: MatchedRule | null,
    book: PolicyBook,
    model: string | null,
  ): readonly Candidate[] {
    if (book !== knownBook) {
      knownBook = book;
      known = byBook.get(book) ?? new Map<string, readonly Candidate[]>();
      byBook.set(book, known);
    }
    // No model name holds a NUL (providers refuses it), and no path does.
    const key = `${destination.format}\0${destination.provider}\0${destination.upstreamPath}\0${model ?? '\0'}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const backends: readonly (SnapshotBackend | null)[] =
      matched === null ? [null] : usableBackends(matched.rule, destination.provider);
    const candidates: Candidate[] = [];
    for (const backend of backends) {
      const candidate = toCandidate(destination, matched, backend, book, model);
      if (candidate !== null) candidates.push(candidate);
    }
    if (key.length > LONGEST_REMEMBERED) return candidates;
    if (known.size >= MOST_REMEMBERED) known.delete(known.keys().next().value ?? '');
    known.set(key, candidates);
    return candidates;
  }

  function toCandidate(
    destination: Destination,
    matched: MatchedRule | null,
    backend: SnapshotBackend | null,
    book: PolicyBook,
    model: string | null,
  ): Candidate | null {
    const base = baseOf(destination.provider, backend, overrides);
    if (base === null) return null;
    const modelSent = backend?.model ?? model;
    const name = matched === null ? '' : `${matched.route.namespace}/${matched.route.name}`;
    const pricedAs =
      backend === null
        ? DEFAULT_PRICED_AS[destination.provider]
        : (backend.priceProvider ?? priceProvider(backend.provider, backend.baseUrl));
    const { row, version } = priceOf(pricedAs, backend, book, modelSent, name);
    return {
      route: matched?.route ?? null,
      rule: matched?.rule ?? null,
      backend,
      provider: destination.provider,
      origin: base.origin,
      path: base.basePath + destination.upstreamPath,
      modelSent,
      pricedAs,
      price: row,
      priceVersion: version,
      outputCapField: outputCapField(destination.format, backend),
    };
  }
};

/** Budgets name routes of their own namespace, and a gateway's callers take those of the gateway. */
const ownRoute = (matched: MatchedRule | null, { subject }: PolicyBook): string | null =>
  matched?.route.namespace === subject.namespace ? matched.route.name : null;

const priceOf = (
  pricedAs: string | null,
  backend: SnapshotBackend | null,
  book: PolicyBook,
  model: string | null,
  routeName: string,
): { readonly row: PriceRow | null; readonly version: string | null } => {
  const found = pricedAs === null || model === null ? null : book.prices.lookup(pricedAs, model);
  const row = found?.kind === 'known' ? found.row : null;
  if (backend === null || backend.price === null) return { row, version: row === null ? null : book.prices.version };
  const target = {
    provider: pricedAs ?? 'openai-compatible',
    model: model ?? '',
    source: `ModelRoute ${routeName}`,
    date: row?.date ?? '',
  };
  // A stated price changes with the route, so the snapshot's version names it.
  return { row: overrideRow(row, backend.price, target), version: book.version };
};

const explainNoBackend = (destination: Destination, matched: MatchedRule | null): string =>
  matched === null
    ? `no ModelRoute names this model, and ${destination.provider} has no public address: add a ModelRoute with a baseUrl`
    : `ModelRoute ${matched.route.namespace}/${matched.route.name}, rule "${matched.rule.name}", has no backend that speaks ${destination.format}`;
