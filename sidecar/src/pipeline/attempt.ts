/**
 * Tries the candidates in their order until one answers: estimate → admit → forward → settle, each try with a hold and
 * an event of its own. Last stage of the call, since all before it decide whether and where to try.
 */
import { nfkcBytes, type PriceRow } from '@tollgate/metering';
import { spliceRequest } from '@tollgate/providers';
import { counterKey } from '@tollgate/ledger';
import type { FallbackCause } from '@tollgate/api';
import type { Escrow, EventHead } from '@tollgate/ledger/escrow';
import { requestHeaders } from '../headers.ts';
import { callHeaders, costHeaders } from '../answer-headers.ts';
import { refuse, type Refusal } from '../refusal.ts';
import { Relay, type DrainAllowance, type RelayOutcome } from '../upstream/relay.ts';
import { admit, type Admission, type Denied } from './admit.ts';
import { estimate, type Estimate, type EstimateInput } from './estimate.ts';
import { counterCharge, settlementOf, type Ending } from './settlement.ts';
import type { Candidate, Exchange, Stage } from '../exchange.ts';
import type { PolicyBook, CallPolicy, PlannedLimit } from '../policy/call-policy.ts';
import type { Secrets } from '../policy/secrets.ts';
import type { Transport } from '../upstream/transport.ts';
import type { Limits } from '../config.ts';
import type { Envelope, Provider } from '@tollgate/providers';

export interface AttemptDeps {
  readonly escrow: Escrow;
  readonly transport: Transport;
  readonly secrets: Secrets;
  readonly limits: Limits;
  readonly drain: DrainAllowance;
  /** Milliseconds, wall clock: for the event only. */
  readonly now: () => number;
  /** An exact count of the request's input, or null where no tokenizer is public. */
  readonly countText: (model: string | null, envelope: Envelope, body: Buffer) => Promise<number | null>;
  readonly observe: AttemptObserver;
}

export interface AttemptObserver {
  settled(kind: string): void;
  holdViolated(model: string | null): void;
  clamped(): void;
}

const DEFAULT_RETRY: readonly FallbackCause[] = ['ConnectError', 'Timeout', 'ServerError', 'RateLimited'];
/** Design §4.9: an abandoned answer is read on for at most one cent. */
const DRAIN_NANO = 10_000_000n;

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

type Tried = { readonly next: 'answered' } | { readonly next: 'refused'; readonly cause: FallbackCause | null; readonly refusal: Refusal };

const refused = (refusal: Refusal, cause: FallbackCause | null): Tried => ({ next: 'refused', cause, refusal });

const tryCandidate = async (deps: AttemptDeps, exchange: Exchange, candidate: Candidate, number: number, retryOn: readonly FallbackCause[]): Promise<Tried> => {
  const { envelope, policy, body, book } = exchange;
  if (envelope === null || policy === null || body === null || book === null) throw new Error('attempt: read and route must run first');

  const credential = credentialOf(candidate, deps.secrets);
  if (credential === 'missing') return refused(refuse('credential_missing', missingKey(candidate)), null);

  const question: EstimateInput = {
    envelope,
    nfkcBytes: envelope.ascii ? envelope.bytes : nfkcBytes(body),
    candidate,
    policy,
    left: (limit) => deps.escrow.left(limit),
    standIn: ({ provider, modelSent }) => (modelSent === null ? null : book.prices.dearestOfFamily(PRICED_AS[provider], modelSent)),
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
    signal: null,
    tighten: (denied) => tighten(deps, question, body, denied),
  });
  const admission: Admission = pending instanceof Promise ? await pending : pending;
  if (!admission.admitted) return refused(admission.refusal, 'BudgetExceeded');
  if (exchange.callerGone || exchange.body === null) {
    // The caller left while the call waited for money: nothing was sent, nothing is owed.
    settle(deps, { book, policy, envelope, candidate }, admission, { how: 'unreached' }, null);
    return { next: 'answered' };
  }

  const outcome = await forward(deps, exchange, { book, policy, envelope, candidate }, admission, credential, retryOn);
  return outcome.kind === 'answered' ? { next: 'answered' } : refused(outcome.refusal, outcome.cause);
};

/** What stages before this one decided, and the backend at hand. */
interface Routed {
  readonly book: PolicyBook;
  readonly policy: CallPolicy;
  readonly envelope: Envelope;
  readonly candidate: Candidate;
}

type Admitted = Extract<Admission, { admitted: true }>;

const forward = (
  deps: AttemptDeps,
  exchange: Exchange,
  call: Routed,
  admitted: Admitted,
  credential: Credential | null,
  retryOn: readonly FallbackCause[],
): Promise<RelayOutcome> =>
  new Promise((resolve) => {
    const { req, res, stream } = exchange;
    const { policy, envelope, candidate } = call;
    const { estimate: estimated } = admitted;
    // Audit changes no byte, and a call without a budget passes unchanged: usage is asked for where a budget acts on it.
    const asksUsage = stream && envelope.includeUsage !== true && ASKS_USAGE.has(envelope.format) && (policy.hard.length > 0 || policy.soft.length > 0);
    const bodyPieces = spliceRequest(exchange.body ?? Buffer.alloc(0), envelope, {
      ...(asksUsage ? { includeUsage: true } : {}),
      ...(estimated.capPut === null ? {} : { outputCap: estimated.capPut, ...(candidate.outputCapField === undefined ? {} : { outputCapField: candidate.outputCapField }) }),
      ...(candidate.provider === 'azure' || candidate.provider === 'gemini' || candidate.modelSent === envelope.model || candidate.modelSent === null ? {} : { model: candidate.modelSent }),
    });
    const timeouts = candidate.rule?.timeouts;
    const finish = (outcome: RelayOutcome): void => {
      clearTimeout(deadline);
      resolve(outcome);
    };
    const relay = new Relay(
      {
        res,
        format: envelope.format,
        isStream: stream,
        strip: asksUsage,
        secret: credential?.secret ?? null,
        retryOn,
        answerBytes: deps.limits.answerBytes,
        drain: deps.drain,
        onDisconnect: policy.rules?.onDisconnect ?? 'Drain',
        drainBytes: drainBytes(estimated.price),
        onFirstByte: noop,
        heldHeaders: () => callHeaders(exchange, estimated, deps.escrow, admitted.hold),
        onEnding: (ending, { status }) => {
          const charged = settle(deps, call, admitted, ending, status);
          return [...callHeaders(exchange, estimated, deps.escrow, null), ...costHeaders(charged)];
        },
      },
      finish,
    );
    const callMs = timeouts?.requestMs ?? deps.limits.callMs;
    const deadline = setTimeout(() => {
      relay.expire();
    }, callMs);
    deadline.unref();
    deps.transport.dispatch(
      {
        origin: candidate.origin,
        path: upstreamPath(candidate, exchange),
        method: req.method ?? 'POST',
        headers: requestHeaders(req.rawHeaders, credential),
        body: bodyPieces.length === 1 ? (bodyPieces[0] as Buffer) : Buffer.concat(bodyPieces),
        firstByteMs: timeouts?.firstByteMs ?? deps.limits.firstByteMs,
        idleMs: deps.limits.idleMs,
      },
      relay,
    );
  });

const noop = (): void => undefined;

const ASKS_USAGE = new Set(['openai-chat', 'openai-completions']);

const settle = (
  deps: AttemptDeps,
  { book, policy, envelope, candidate }: Routed,
  { hold, estimate: estimated }: Admitted,
  ending: Ending,
  status: number | null,
): bigint => {
  const charged = settlementOf({
    ending,
    estimate: estimated,
    envelope,
    policy,
    answeredPrice: (model) => {
      const found = book.prices.lookup(PRICED_AS[candidate.provider], model);
      return found.kind === 'known' ? found.row : null;
    },
  });
  if (charged.charged > estimated.bound.cost && policy.hasCostLimit) deps.observe.holdViolated(candidate.modelSent);
  deps.observe.settled(charged.settle);
  const { priceRow } = charged;
  deps.escrow.settle(hold, {
    settle: charged.settle,
    usage: charged.usage,
    charged: charged.charged,
    counterCharge: (need) => counterCharge(charged, need),
    modelAnswered: 'answer' in ending ? (ending.answer?.model ?? null) : null,
    priceRow: priceRow === null ? null : { model: `${priceRow.provider}/${priceRow.model}`, source: priceRow.source, date: priceRow.date },
    status,
    endedAt: deps.now(),
  });
  return charged.charged;
};

/** A smaller estimate that may fit: first the exact count of the input, then a smaller cap where the cap is ours to choose. */
const tighten = async (deps: AttemptDeps, question: EstimateInput, body: Buffer, denied: Denied): Promise<Estimate | null> => {
  const exactTextTokens = await deps.countText(question.candidate.modelSent, question.envelope, body);
  const left = (limit: PlannedLimit): bigint | null =>
    limit.budget === denied.counter.budget && limit.limit === denied.counter.limit ? denied.left : question.left(limit);
  const again = estimate({ ...question, exactTextTokens, left });
  if (!again.ok) return null;
  const fits = fitsDenied(again.estimate, denied);
  if (fits || question.policy.rules?.onInsufficient !== 'Clamp') return again.estimate;
  const cap = clampedCap(again.estimate, question, denied);
  if (cap === null) return again.estimate;
  const clamped = estimate({ ...question, exactTextTokens, left, forcedCap: cap });
  if (!clamped.ok) return again.estimate;
  deps.observe.clamped();
  return clamped.estimate;
};

const fitsDenied = ({ hard }: Estimate, { counter, left }: Denied): boolean =>
  hard.every((need) => counterKey(need) !== counterKey(counter) || need.amount <= left);

/** Output tokens that what is left pays for, input paid first; null where not even one. */
const clampedCap = ({ bound, outputRate, hard }: Estimate, { envelope }: EstimateInput, { counter, left }: Denied): number | null => {
  const need = hard.find((each) => counterKey(each) === counterKey(counter));
  if (need === undefined || bound.outputTokens === 0) return null;
  const perToken = need.unit === 'cost' ? outputRate : need.unit === 'tokens' ? 1_000_000n : 0n;
  if (perToken === 0n) return null;
  const outputPart = (BigInt(bound.outputTokens) * perToken + 999_999n) / 1_000_000n;
  const spare = left - (need.amount - outputPart);
  if (spare <= 0n) return null;
  const tokens = (spare * 1_000_000n) / (perToken * BigInt(envelope.choices));
  return tokens >= 1n ? Number(tokens) : null;
};

/** Bytes of answer that a cent of output tokens can be at most, at four bytes a token. */
const drainBytes = (price: PriceRow | null): number => {
  const rate = price?.tiers[0]?.rates.output ?? 0n;
  return rate === 0n ? 64 * 1024 : Number((DRAIN_NANO * 1_000_000n * 4n) / rate);
};

const eventHead = (exchange: Exchange, candidate: Candidate, estimated: Estimate, number: number, book: PolicyBook, now: number): EventHead => ({
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
  priceRow: estimated.price === null ? null : { model: `${estimated.price.provider}/${estimated.price.model}`, source: estimated.price.source, date: estimated.price.date },
  unproven: estimated.unproven,
  stream: exchange.stream,
  startedAt: now,
});

const PRICED_AS: Readonly<Record<Provider, string>> = { openai: 'openai', anthropic: 'anthropic', gemini: 'google', azure: 'azure' };

export interface Credential {
  readonly name: string;
  readonly value: string;
  readonly secret: string;
}

const credentialOf = ({ backend, provider }: Candidate, secrets: Secrets): Credential | null | 'missing' => {
  if (backend?.credential == null) return null;
  const secret = secrets.find(backend.credential.name, backend.credential.key);
  if (secret === null) return 'missing';
  switch (provider) {
    case 'openai':
      return { name: 'authorization', value: `Bearer ${secret}`, secret };
    case 'anthropic':
      return { name: 'x-api-key', value: secret, secret };
    case 'gemini':
      return { name: 'x-goog-api-key', value: secret, secret };
    case 'azure':
      return { name: 'api-key', value: secret, secret };
    default:
      return provider satisfies never;
  }
};

const missingKey = ({ route, backend }: Candidate): string =>
  `ModelRoute ${route?.namespace ?? ''}/${route?.name ?? ''}, backend "${backend?.name ?? ''}", names key "${backend?.credential?.key ?? ''}" of Secret ` +
  `"${backend?.credential?.name ?? ''}", which this proxy cannot read`;

/** A route may send another model or deployment than was asked: in these formats it stands in the path. */
const upstreamPath = (candidate: Candidate, { destination }: Exchange): string => {
  if (candidate.provider !== 'gemini' || candidate.modelSent === null || destination?.modelInPath == null) return candidate.path;
  if (candidate.modelSent === destination.modelInPath) return candidate.path;
  return candidate.path.replace(`/models/${destination.modelInPath}:`, `/models/${candidate.modelSent}:`);
};
