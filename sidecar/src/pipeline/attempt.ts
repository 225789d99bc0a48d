/**
 * Tries the candidates in their order until one answers: estimate → admit → forward → settle, each try with a hold and
 * an event of its own. Last stage of the call, since all before it decide whether and where to try.
 */
import type { FallbackCause } from '@tollgate/api';
import type { Escrow, EventHead } from '@tollgate/ledger/escrow';
import { refuse, type Refusal } from '../refusal.ts';
import { admit, type Admission } from './admit.ts';
import { signalOfLeaving } from './caller-left.ts';
import { normalBytes } from './normal-bytes.ts';
import { estimate, type Estimate, type EstimateInput } from './estimate.ts';
import { forward, type ForwardDeps } from './forward.ts';
import { settle, type SettleObserver } from './settle.ts';
import { tighten, tightenOpen, type TightenDeps } from './tighten.ts';
import { credentialOf, missingKey, needsKey, noKey } from '../policy/credential.ts';
import type { Candidate, Exchange, Stage } from '../exchange.ts';
import type { PolicyBook } from '../policy/call-policy.ts';
import type { Secrets } from '../policy/secrets.ts';

export interface AttemptDeps extends ForwardDeps, Pick<TightenDeps, 'countText'> {
  readonly escrow: Escrow;
  readonly secrets: Secrets;
  readonly observe: AttemptObserver;
  /** Why calls go on by what is in hand; null = nothing is wrong. */
  readonly degraded: () => string | null;
}

export interface AttemptObserver extends SettleObserver {
  clamped(): void;
}

const DEFAULT_RETRY: readonly FallbackCause[] = ['ConnectError', 'Timeout', 'ServerError', 'RateLimited'];

export const attempt = (deps: AttemptDeps): Stage =>
  async function attempt(exchange) {
    const { candidates } = exchange;
    const rule = candidates[0]?.rule ?? null;
    const retryOn = rule?.fallback?.when ?? DEFAULT_RETRY;
    const tries = rule === null ? 1 : Math.min(candidates.length, rule.fallback?.maxAttempts ?? 2);
    let last: Refusal | undefined;
    for (let number = 1; number <= tries; number += 1) {
      const candidate = candidates[number - 1];
      if (candidate === undefined) break;
      const isLast = number === tries;
      const tried = await tryCandidate(deps, exchange, candidate, number, isLast ? [] : retryOn);
      if (tried.next === 'answered') return 'answered';
      last = tried.refusal;
      if (isLast || tried.cause === null || !retryOn.includes(tried.cause)) break;
    }
    return last ?? refuse('no_backend', 'no backend is left to try');
  };

type Tried =
  | { readonly next: 'answered' }
  | { readonly next: 'refused'; readonly cause: FallbackCause | null; readonly refusal: Refusal };

const refused = (refusal: Refusal, cause: FallbackCause | null): Tried => ({ next: 'refused', cause, refusal });

const tryCandidate = async (
  deps: AttemptDeps,
  exchange: Exchange,
  candidate: Candidate,
  number: number,
  retryOn: readonly FallbackCause[],
): Promise<Tried> => {
  const { envelope, policy, body, book } = exchange;
  if (envelope === null || policy === null || body === null || book === null)
    throw new Error('attempt: read and route must run first');

  const credential = credentialOf(candidate, deps.secrets);
  if (credential === null && deps.takesTokens && needsKey(candidate))
    return refused(refuse('credential_missing', noKey(candidate)), null);
  if (credential === 'missing') return refused(refuse('credential_missing', missingKey(candidate)), null);

  const question: EstimateInput = {
    envelope,
    nfkcBytes: envelope.ascii ? envelope.bytes : await normalBytes(body),
    candidate,
    policy,
    left: (limit) => deps.escrow.left(limit),
    standIn: ({ pricedAs, modelSent }) =>
      modelSent === null || pricedAs === null ? null : book.prices.dearestOfFamily(pricedAs, modelSent),
    exactTextTokens: null,
    forcedCap: null,
  };
  const first = estimate(question);
  if (!first.ok) return refused(first.refusal, null);

  const head = eventHead(exchange, candidate, first.estimate, number, book, deps.now());
  const pending = admit(deps.escrow, {
    estimate: first.estimate,
    waitMs: (policy.rules?.waitSeconds ?? 0) * 1000,
    head,
    signal: () => signalOfLeaving(exchange.res),
    tightenOpen: (sent) => tightenOpen(deps.countText, question, exchange.body, sent),
    tighten: (denied) => tighten({ countText: deps.countText, clamped: deps.observe.clamped }, question, body, denied),
  });
  const admission: Admission = pending instanceof Promise ? await pending : pending;
  if (!admission.admitted)
    return exchange.callerGone ? { next: 'answered' } : refused(admission.refusal, 'BudgetExceeded');
  exchange.degraded = admission.hold.isOverdrawn ? 'overdraft' : deps.degraded();
  if (exchange.callerGone || exchange.body === null) {
    // The caller left while the call waited for money: nothing was sent, nothing is owed.
    settle(deps, { book, policy, envelope, candidate }, admission, { how: 'unreached' }, { status: null });
    return { next: 'answered' };
  }

  const outcome = await forward(deps, exchange, { book, policy, envelope, candidate }, admission, credential, retryOn);
  return outcome.kind === 'answered' ? { next: 'answered' } : refused(outcome.refusal, outcome.cause);
};

const eventHead = (
  exchange: Exchange,
  candidate: Candidate,
  estimated: Estimate,
  number: number,
  book: PolicyBook,
  now: number,
): EventHead => ({
  requestId: exchange.requestId,
  attempt: number,
  subject: book.subject,
  user: exchange.envelope?.user ?? null,
  promptId: null,
  promptVersion: null,
  route: candidate.route === null ? null : `${candidate.route.namespace}/${candidate.route.name}`,
  backend: candidate.backend?.name ?? null,
  provider: candidate.provider,
  format: exchange.envelope?.format ?? 'unknown',
  modelAsked: exchange.model,
  modelSent: candidate.modelSent,
  held: estimated.bound.cost,
  priceVersion: candidate.priceVersion,
  priceRow:
    estimated.price === null
      ? null
      : {
          model: `${estimated.price.provider}/${estimated.price.model}`,
          source: estimated.price.source,
          date: estimated.price.date,
        },
  unproven: estimated.unproven,
  stream: exchange.stream,
  startedAt: now,
});
