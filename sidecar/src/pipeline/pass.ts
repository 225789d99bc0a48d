/**
 * What becomes of a call that is not metered. Free paths (models, token counting) always pass. Unknown paths and
 * WebSockets follow `onUnboundable` of the Hard budgets that bind this caller: held and charged at a stated ceiling, or
 * refused; with no Hard budget they pass and count as unmetered (design §5), on the budgets that only watch as well. Before
 * `read`, since their bodies are not read here. A gateway that takes tokens forwards none of them: no route is taken, so there
 * is no key but the caller's token.
 */
import type { Writable } from 'node:stream';
import { refuse, staleRefusal, type Refusal } from '../refusal.ts';
import { baseOf, type UpstreamOverrides } from '../policy/backends.ts';
import { admit, type Admission } from './admit.ts';
import { signalOfLeaving } from './caller-left.ts';
import type { Escrow, EventHead, Hold, HoldNeed } from '@tollgate/ledger/escrow';
import { UNMETERED } from '@tollgate/ledger';
import type { Exchange, Outcome, PassedFate, Stage } from '../exchange.ts';
import type { CallPolicy, PolicyBook } from '../policy/call-policy.ts';
import type { PolicyFeed, ReadyPolicy } from '../policy/policy-feed.ts';
import type { PassTarget, PassThrough } from '../upstream/passthrough.ts';
import type { Estimate } from './estimate.ts';

export interface PassDeps {
  readonly passThrough: PassThrough;
  readonly policy: () => ReadyPolicy | Promise<ReadyPolicy | null>;
  readonly isStale: PolicyFeed['isStale'];
  readonly overrides: UpstreamOverrides;
  readonly escrow: Escrow;
  readonly now: () => number;
  readonly unmetered: (provider: string) => void;
  /** Callers show tokens, which are forwarded to nobody. */
  readonly takesTokens: boolean;
}

export type Leave =
  | {
      readonly leave: true;
      readonly target: PassTarget;
      /** Settles what was held for it, if anything. */ readonly done: (sent: boolean) => void;
    }
  | { readonly leave: false; readonly refusal: Refusal };

/** Decides, and holds the ceiling where one is due; the caller forwards and says when it is over. */
export const leaveFor =
  ({ policy, isStale, overrides, escrow, now, unmetered, takesTokens }: PassDeps) =>
  async (requestId: string, fate: PassedFate, connection: Writable): Promise<Leave> => {
    /** Budgets that only watch count the call; that it cannot be recorded is no reason to refuse it. */
    const watched = async (callPolicy: CallPolicy, book: PolicyBook): Promise<(sent: boolean) => void> => {
      const estimate = ceilingEstimate(callPolicy, 0n);
      if (estimate.soft.length + estimate.audit.length === 0) return noop;
      const admission = await holdFor(estimate, book, 0);
      return admission.admitted ? (sent) => settleAtCeiling(escrow, admission.hold, estimate, sent, now()) : noop;
    };
    const holdFor = (estimate: Estimate, book: PolicyBook, waitMs: number): Admission | Promise<Admission> =>
      admit(escrow, {
        estimate,
        waitMs,
        head: passHead(requestId, fate, book, estimate, now()),
        signal: () => signalOfLeaving(connection),
        tighten: () => Promise.resolve(null),
        tightenOpen: () => Promise.resolve(null),
      });

    if (takesTokens) return { leave: false, refusal: refuse('credential_missing', NO_KEY_HERE) };
    const base = baseOf(fate.provider, null, overrides);
    if (base === null)
      return {
        leave: false,
        refusal: refuse('no_backend', `${fate.provider} has no public address: this path needs a base URL`),
      };
    const target = { origin: base.origin, path: base.basePath + fate.upstreamPath, requestId };
    if (fate.isFree) return { leave: true, target, done: noop };

    const ready = await policy();
    if (ready === null)
      return { leave: false, refusal: refuse('not_ready', 'this proxy has no policy from the control plane yet') };
    const callPolicy = ready.book.policyFor(null, null);
    if (callPolicy.rules === null) {
      unmetered(fate.provider);
      return { leave: true, target, done: await watched(callPolicy, ready.book) };
    }
    if (isStale(callPolicy.rules)) return { leave: false, refusal: staleRefusal(callPolicy.hard) };
    const { onUnboundable, preset } = callPolicy.rules;
    if (preset === 'Strict' || onUnboundable.action === 'Refuse' || onUnboundable.ceiling === null) {
      return {
        leave: false,
        refusal: refuse(
          'unboundable_request',
          'this path is not metered, so its cost cannot be bounded, and a Hard budget binds this caller; ' +
            'a budget with onUnboundable {action: Ceiling, ceiling: "<USD>"} lets such calls through at that price',
        ),
      };
    }
    const estimate = ceilingEstimate(callPolicy, BigInt(onUnboundable.ceiling));
    const admission = await holdFor(estimate, ready.book, callPolicy.rules.waitSeconds * 1000);
    if (!admission.admitted) return { leave: false, refusal: admission.refusal };
    return { leave: true, target, done: (sent) => settleAtCeiling(escrow, admission.hold, estimate, sent, now()) };
  };

const NO_KEY_HERE =
  'this gateway has keys for metered calls that a ModelRoute takes, and forwards no token of a caller: call this path at the ' +
  'provider, with a key of your own';

export const pass = (deps: PassDeps): Stage => {
  const leaveTo = leaveFor(deps);
  return function pass(exchange) {
    return exchange.passed === null ? undefined : leave(exchange, exchange.passed);
  };

  async function leave({ req, res, requestId }: Exchange, fate: PassedFate): Promise<Outcome> {
    const found = await leaveTo(requestId, fate, res);
    if (!found.leave) return found.refusal;
    const outcome = await deps.passThrough.request(req, res, found.target);
    found.done(outcome === 'answered');
    switch (outcome) {
      case 'answered':
        return 'answered';
      case 'forbidden':
        return refuse('upstream_forbidden', 'the address of this provider may not be dialled');
      case 'unreachable':
        return refuse('upstream_unreachable', 'the provider could not be reached');
      default:
        return outcome satisfies never;
    }
  }
};

const noop = (): void => undefined;

const ceilingEstimate = ({ hard, soft, audit }: CallPolicy, ceiling: bigint): Estimate => {
  const toNeeds = (limits: CallPolicy['hard']): HoldNeed[] =>
    limits.flatMap(({ budget, limit, partition, unit, count, max }) =>
      unit === 'tokens' ? [] : [{ budget, limit, partition, unit, count, amount: unit === 'cost' ? ceiling : 1n, max }],
    );
  return {
    price: null,
    isStandIn: false,
    bound: { inputTokens: 0, outputTokens: 0, cost: ceiling, proven: false },
    outputRate: 0n,
    capPut: null,
    unproven: true,
    hard: toNeeds(hard),
    soft: toNeeds(soft),
    audit: toNeeds(audit),
  };
};

const passHead = (
  requestId: string,
  fate: PassedFate,
  book: PolicyBook,
  estimate: Estimate,
  now: number,
): EventHead => ({
  requestId,
  attempt: 1,
  subject: book.subject,
  user: null,
  promptId: null,
  promptVersion: null,
  route: null,
  backend: null,
  provider: fate.provider,
  format: UNMETERED,
  modelAsked: null,
  modelSent: null,
  held: estimate.bound.cost,
  priceVersion: null,
  priceRow: null,
  unproven: true,
  stream: false,
  startedAt: now,
});

const settleAtCeiling = (escrow: Escrow, hold: Hold, estimate: Estimate, sent: boolean, endedAt: number): void => {
  escrow.settle(hold, {
    settle: sent ? 'hold' : 'void',
    usage: {},
    charged: sent ? estimate.bound.cost : 0n,
    counterCharge: (need) => (sent ? need.amount : 0n),
    modelAnswered: null,
    priceRow: null,
    status: null,
    endedAt,
  });
};
