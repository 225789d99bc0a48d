/** One request of the API server answered: pure but for what it is handed. */
import { carryAnnotation } from '../injection/carry-annotation.ts';
import type { NamespaceFacts, NamespaceMode, RouteKeys } from '../injection/facts.ts';
import { injectPod, type Injection } from '../injection/inject-pod.ts';
import { PodSchema, type Pod } from '../injection/pod.ts';
import type { SkipReason } from '../injection/reasons.ts';
import type { InjectionSettings } from '../injection/settings.ts';
import { templatePod } from '../injection/template-pod.ts';
import { templateWarnings } from '../injection/template-warnings.ts';
import { parseWorkload } from '../injection/workload-object.ts';
import type { AdmissionAnswer, AdmissionRequest } from './admission-review.ts';

export interface AdmitDeps {
  readonly settings: () => InjectionSettings;
  /** Keys that the ModelRoutes of a namespace name. */
  readonly routeKeys: (namespace: string) => readonly RouteKeys[];
  readonly kubernetesMinor: () => number | null;
  readonly observe: AdmissionObserver;
}

export interface AdmissionObserver {
  /** `reason` is '' where there is none. */
  decided(outcome: Outcome, reason: string): void;
  /** Somebody asked for the proxy and this pod does not get it. Not called for a dry run. */
  skipped(pod: Pod, namespace: string, reason: SkipReason, message: string): void;
}

export const OUTCOMES = [
  ...['injected', 'repaired', 'already', 'skipped', 'refused'],
  ...['carried', 'removed', 'unchanged'],
  /** Not a pod, or not a workload, or not one that can be read. */
  'foreign',
] as const satisfies readonly string[];
export type Outcome = Injection['outcome'] | ReturnType<typeof carryAnnotation>['outcome'] | 'foreign';

export const admitPod = (request: AdmissionRequest, mode: NamespaceMode | null, deps: AdmitDeps): AdmissionAnswer => {
  const { kind, operation, object } = request;
  if (kind.group !== '' || kind.version !== 'v1' || kind.kind !== 'Pod' || operation !== 'CREATE') {
    return foreign(deps, `this webhook is for pods at their creation, not for ${operation} of ${kind.kind}`);
  }
  const parsed = PodSchema.safeParse(object);
  if (!parsed.success) {
    const where = (parsed.error.issues[0]?.path ?? []).join('.').slice(0, 100);
    const message = `the pod cannot be read${where === '' ? '' : `: ${where} is not as pods have it`}`;
    // The API server would not have taken it either; where it must not get past us, that is not left to it.
    return mode === 'required' ? unread(deps, message) : foreign(deps, message);
  }
  const namespace = request.namespace ?? '';
  const answer = injectPod(parsed.data, { ...surroundings(request, deps), mode }, deps.settings());
  const reason = 'reason' in answer ? answer.reason : '';
  deps.observe.decided(answer.outcome, reason);
  const audit = { outcome: answer.outcome, ...(reason === '' ? {} : { reason }) };
  switch (answer.outcome) {
    case 'refused':
      return { allowed: false, message: `tollgate (${answer.reason}): ${answer.message}`, audit };
    case 'skipped': {
      const isTold = !SILENT.has(answer.reason);
      if (isTold && request.dryRun !== true) {
        deps.observe.skipped(parsed.data, namespace, answer.reason, answer.message);
      }
      const warnings = isTold ? [`no proxy is injected: ${answer.message}`, ...answer.warnings] : answer.warnings;
      return { allowed: true, warnings, audit };
    }
    case 'injected':
    case 'repaired':
    case 'already':
      return { allowed: true, patch: answer.patch, warnings: answer.warnings, audit };
    default:
      return answer satisfies never;
  }
};

/** What the user meant needs no telling. */
const SILENT: ReadonlySet<SkipReason> = new Set(['NotOptedIn', 'OptedOut', 'MirrorPod']);

export const admitWorkload = (request: AdmissionRequest, deps: AdmitDeps): AdmissionAnswer => {
  const { kind, object, oldObject } = request;
  const isKnown = (kind.group === 'apps' || kind.group === 'batch') && kind.version === 'v1';
  const workload = isKnown ? parseWorkload(kind.kind, object) : null;
  if (workload === null) return foreign(deps, `this webhook is for workloads, not for ${kind.kind}`);
  const answer = carryAnnotation(workload, parseWorkload(kind.kind, oldObject));
  if (answer.outcome === 'refused') {
    const { outcome, reason, message } = answer;
    deps.observe.decided(outcome, reason);
    return { allowed: false, message: `tollgate (${reason}): ${message}`, audit: { outcome, reason } };
  }
  const { outcome, patch, warnings } = answer;
  deps.observe.decided(outcome, '');
  const pod = outcome === 'carried' ? templatePod(workload, answer.annotations) : null;
  const foretold = pod === null ? [] : templateWarnings(pod, surroundings(request, deps), deps.settings());
  return { allowed: true, patch, warnings: [...foretold, ...warnings], audit: { outcome } };
};

const surroundings = ({ namespace }: AdmissionRequest, deps: AdmitDeps): Omit<NamespaceFacts, 'mode'> => ({
  name: namespace ?? '',
  routeKeys: deps.routeKeys(namespace ?? ''),
  kubernetesMinor: deps.kubernetesMinor(),
});

const unread = ({ observe }: AdmitDeps, message: string): AdmissionAnswer => {
  observe.decided('refused', 'InjectionRequired');
  return { allowed: false, message: `tollgate (InjectionRequired): ${message}`, audit: { outcome: 'refused' } };
};

/** Let through as it is: whatever it may be, it is not for us to stop. */
const foreign = ({ observe }: AdmitDeps, message: string): AdmissionAnswer => {
  observe.decided('foreign', '');
  return { allowed: true, warnings: [message], audit: { outcome: 'foreign' } };
};
