/** What is true of a budget, condition by condition. Pure. */
import type { Claim } from '../conditions.ts';
import { PROXY_MISSING } from '../pods/missing-notes.ts';
import type { BypassCount } from '../pods/bypass-counts.ts';
import { DIRECT_CONNECTION } from '../pods/use-notes.ts';
import { ACCEPTED, EXCEEDED, PROGRAMMED, READY, REASON, STORE_AVAILABLE } from './reasons.ts';
import type { BudgetWorld } from './world.ts';

export const budgetClaims = (world: BudgetWorld): readonly Claim[] => {
  const accepted = acceptedClaim(world);
  const programmed = programmedClaim(world);
  const store = storeClaim(world);
  const exceeded = exceededClaim(world);
  return [readyClaim(world, { accepted, programmed, store }), accepted, programmed, exceeded, store];
};

const acceptedClaim = ({ admission }: BudgetWorld): Claim =>
  admission.accepted
    ? { type: ACCEPTED, status: 'True', reason: REASON.accepted, message: 'The budget is valid.' }
    : { type: ACCEPTED, status: 'False', reason: admission.reason, message: admission.message };

const programmedClaim = (world: BudgetWorld): Claim => {
  const { admission, view, pods } = world;
  const claim = (status: Claim['status'], reason: string, message: string): Claim => ({
    type: PROGRAMMED,
    status,
    reason,
    message,
  });
  if (!admission.accepted) return claim('False', REASON.notAccepted, 'No proxy runs it: see Accepted.');
  if (!isTaken(world)) return claim('False', REASON.pending, 'The server has not taken this version yet.');
  const isWhole = !isBehind(view) && pods.lacking + pods.direct === 0;
  return isWhole
    ? claim('True', REASON.programmed, `${sharesText(attachedOf(view))}.`)
    : claim('False', REASON.partiallyProgrammed, `${sharesText(attachedOf(view))}${bypassText(pods)}.`);
};

interface Attached {
  readonly pods: number;
  readonly onVersion: number;
  readonly gateways: { readonly count: number; readonly onVersion: number };
}

const attachedOf = (view: BudgetWorld['view']): Attached => ({
  pods: view?.attached?.pods ?? 0,
  onVersion: view?.attached?.onVersion ?? 0,
  gateways: view?.attached?.gateways ?? { count: 0, onVersion: 0 },
});

/** A proxy in a pod or a gateway decides by another version. */
const isBehind = (view: BudgetWorld['view']): boolean => {
  const { pods, onVersion, gateways } = attachedOf(view);
  return pods > onVersion || gateways.count > gateways.onVersion;
};

const sharesText = ({ pods, onVersion, gateways }: Attached): string => {
  const share =
    pods === onVersion ? `All ${pods} attached proxies run` : `${onVersion} of ${pods} attached proxies run`;
  const ofPods = `${pods === 1 && onVersion === 1 ? 'The one attached proxy runs' : share} this version`;
  if (gateways.count === 0) return pods === 0 ? 'The server has it; no proxy is attached' : ofPods;
  const ofGateways = `${gateways.onVersion} of ${gateways.count} gateways that follow it for their callers`;
  return pods === 0 ? `No pod is attached; ${ofGateways} run this version` : `${ofPods}, and ${ofGateways}`;
};

const bypassText = ({ lacking, direct }: BypassCount): string => {
  const text = (count: number, one: string, many: string, reason: string, hint: string): string =>
    count === 0
      ? ''
      : `; ${count} ${count === 1 ? one : many} ` +
        `(kubectl get events --field-selector reason=${reason} names ${count === 1 ? 'it' : 'them'}${hint})`;
  return [
    text(
      lacking,
      'pod asks for the proxy and lacks it',
      'pods ask for the proxy and lack it',
      PROXY_MISSING,
      '; a restart injects it',
    ),
    text(direct, 'pod calls providers past its proxy', 'pods call providers past their proxy', DIRECT_CONNECTION, ''),
  ].join('');
};

/** Either the server took it from us, or it says itself that this generation is in force. */
const isTaken = ({ object, takenGeneration, view }: BudgetWorld): boolean => {
  const generation = object.metadata.generation ?? 0;
  return takenGeneration === generation || view?.resource.metadata.generation === generation;
};

const storeClaim = ({ server }: BudgetWorld): Claim => {
  const claim = (status: Claim['status'], reason: string, message: string): Claim => ({
    type: STORE_AVAILABLE,
    status,
    reason,
    message,
  });
  if (server === 'asked') return claim('True', REASON.available, 'The ledger answers.');
  if (server === 'not asked') return claim('Unknown', REASON.unknown, 'The ledger has not been asked yet.');
  const figures = 'The figures here are the last known ones; proxies go on with what they hold.';
  if (server.status === null) return claim('False', REASON.serverUnreachable, `The server does not answer. ${figures}`);
  if (server.status === 401 || server.status === 403) {
    const todo = 'Check TOLLGATE_OPERATOR_SERVICE_ACCOUNT of the server.';
    return claim('False', REASON.serverRefuses, `The server refuses the operator's token. ${todo} ${figures}`);
  }
  return claim('False', REASON.databaseUnavailable, `${server.message}. ${figures}`);
};

const exceededClaim = ({ admission, view }: BudgetWorld): Claim => {
  const claim = (status: Claim['status'], reason: string, message: string): Claim => ({
    type: EXCEEDED,
    status,
    reason,
    message,
  });
  if (!admission.accepted) return claim('Unknown', REASON.notAccepted, 'Nothing is counted: see Accepted.');
  if (view === null) return claim('Unknown', REASON.unknown, 'The ledger has said nothing of this budget yet.');
  const usedUp = view.limits.filter(({ remaining }) => remaining === 0n);
  if (usedUp.length === 0) return claim('False', REASON.withinLimits, 'Every limit has something left.');
  const named = usedUp.map(({ name, resetAt }) =>
    resetAt === null ? `${name} (never resets)` : `${name} (resets ${new Date(resetAt).toISOString()})`,
  );
  return claim('True', REASON.limitReached, `Used up: ${named.join(', ')}.`);
};

const READY_TEXT = {
  Enforcing: 'Calls that would cross a limit are refused.',
  Exhausted: 'A limit is used up: calls it counts are refused until it resets.',
  Observing: 'Calls are counted; none is refused.',
  OverLimit: 'A limit is used up. Calls pass all the same, since the budget does not enforce.',
} as const;

interface Others {
  readonly accepted: Claim;
  readonly programmed: Claim;
  readonly store: Claim;
}

/** Pods that lack the proxy make no budget unready: where it is attached, it holds. */
const readyClaim = (world: BudgetWorld, { accepted, programmed, store }: Others): Claim => {
  const { view, pods } = world;
  const no = ({ reason, message }: Claim): Claim => ({ type: READY, status: 'False', reason, message });
  if (accepted.status !== 'True') return no(accepted);
  if (store.status !== 'True') return no(store);
  if (!isTaken(world) || isBehind(view)) return no(programmed);
  if (view === null) {
    return no({ ...programmed, reason: REASON.pending, message: 'The ledger has said nothing of this budget yet.' });
  }
  const { reason } = view.columns;
  return { type: READY, status: 'True', reason, message: `${READY_TEXT[reason]}${bypassNote(pods)}` };
};

const bypassNote = ({ lacking, direct }: BypassCount): string =>
  lacking + direct === 0
    ? ''
    : ` ${lacking + direct} ${lacking + direct === 1 ? 'pod gets' : 'pods get'} past it: see Programmed.`;
