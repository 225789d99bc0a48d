/** What injection would do for one workload, by the injector's own decisions. Pure. */
import {
  containersOf,
  INJECT,
  injectPod,
  mapOf,
  MESH_CONTAINERS,
  PROXY_CONTAINER,
  PROVIDERS,
  STATUS,
  whyNot,
  wishOf,
  type InjectionSettings,
  type NamespaceFacts,
  type Pod,
  type ProviderId,
  type RefusalReason,
  type SkipReason,
} from '@tollgate/operator/injection';
import { patched, type WorkloadPod } from '../workload-pod.ts';
import { askingCommand } from './asking-command.ts';
import { UNMETERED_SERVICES } from './known-names.ts';
import { signsOf, type ConfigMapKeys, type Sign } from './signs.ts';

export interface ScannedWorkload {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  /** Null where it has none at rest: a CronJob, a Job. */
  readonly pods: number | null;
  /** Whose models it calls, as far as names tell. */
  readonly providers: readonly ProviderId[];
  readonly signs: readonly Sign[];
  /** It is injected as it is: it, its pods or its namespace ask for it. */
  readonly asks: boolean;
  readonly coverage: Coverage;
  /** Null: it can be injected. */
  readonly reason: SkipReason | RefusalReason | null;
  /** What stays uncovered and why, and what changes. */
  readonly notes: readonly string[];
  /** The command by which it comes to ask for the proxy; null where it asks, or cannot be injected, or cannot be changed. */
  readonly next: string | null;
}

/** Of the calls that it shows signs of: `Full` all, `Partial` some, `None` none, `Unknown`: nothing tells whose they are. */
export type Coverage = 'Full' | 'Partial' | 'None' | 'Unknown';

export interface ScanContext {
  readonly namespace: NamespaceFacts;
  readonly settings: InjectionSettings;
  readonly configMaps: ConfigMapKeys;
  readonly pods: number | null;
}

/** Null where nothing says that it calls a model. */
export const scanWorkload = (workload: WorkloadPod, context: ScanContext): ScannedWorkload | null => {
  const { namespace, settings, configMaps, pods } = context;
  const { kind, name, pod } = workload;
  const signs = applicationsOf(pod).flatMap((container) => signsOf(container, configMaps));
  if (signs.length === 0) return null;
  const providers = PROVIDERS.filter((provider) => signs.some((sign) => sign.provider === provider));
  const outcome = outcomeOf(pod, context);
  const gaps = outcome.reason === null ? gapsOf(signs, settings, outcome.left) : [];
  const asks = whyNot(pod, namespace, settings) === null;
  const next = asks || outcome.reason !== null ? null : askingCommand(workload, namespace.name);
  const said = [
    ...(workload.fault === null ? [] : [`${workload.fault}; it has no effect as it is`]),
    ...(next === null || !workload.isSaidByTemplate
      ? []
      : [`its pod template says it, and that counts over the workload's own annotation; change it there: ${next}`]),
  ];
  return {
    namespace: namespace.name,
    kind,
    name,
    pods,
    providers,
    signs,
    asks,
    coverage: outcome.reason === null ? coverageOf(signs, gaps) : 'None',
    reason: outcome.reason,
    notes: [...new Set([...said, ...workload.warnings, ...gaps.map(({ why }) => why), ...outcome.notes])].filter(
      (note) => note !== '',
    ),
    next,
  };
};

const applicationsOf = (pod: Pod) =>
  containersOf(pod).filter(({ name }) => name !== PROXY_CONTAINER && !MESH_CONTAINERS.has(name));

interface Outcome {
  readonly reason: ScannedWorkload['reason'];
  readonly notes: readonly string[];
  /** `container/VARIABLE` that injection leaves as they are. */
  readonly left: readonly string[];
}

/** As if it asked; one that says no keeps its no. */
const outcomeOf = (pod: Pod, { namespace, settings }: ScanContext): Outcome => {
  const asking = wishOf(pod) === false ? pod : withAnnotation(pod);
  const injection = injectPod(asking, namespace, settings);
  switch (injection.outcome) {
    case 'skipped':
    case 'refused':
      return { reason: injection.reason, notes: [injection.message], left: [] };
    case 'injected':
    case 'repaired':
    case 'already': {
      const { skippedEnv } = mapOf(patched(asking, injection.patch).metadata.annotations?.[STATUS]);
      const left = Array.isArray(skippedEnv) ? skippedEnv.filter((item) => typeof item === 'string') : [];
      return { reason: null, notes: injection.warnings, left };
    }
    default:
      return injection satisfies never;
  }
};

const withAnnotation = (pod: Pod): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [INJECT]: 'true' } },
});

interface Gap {
  readonly sign: Sign;
  readonly why: string;
}

/** Signs of calls that go past the proxy though the pod has it. */
const gapsOf = (signs: readonly Sign[], settings: InjectionSettings, left: readonly string[]): readonly Gap[] =>
  signs.flatMap((sign) => {
    const why = whyPast(sign, signs, settings, left);
    return why === null ? [] : [{ sign, why }];
  });

/** Null: it is led to the proxy. Empty: it is not, and the injector's own warning says why. */
const whyPast = (
  sign: Sign,
  signs: readonly Sign[],
  { providers }: InjectionSettings,
  left: readonly string[],
): string | null => {
  const { container, kind, name, provider, from } = sign;
  const where = `${name}${from === null ? '' : ` (of ${from})`} of container ${container}`;
  switch (kind) {
    case 'unmetered':
      return `${where}: calls to ${UNMETERED_SERVICES[name] ?? name} are not led to the proxy`;
    case 'otherBaseUrl':
      return `${where} is a base URL that no SDK reads and injection does not set: point it at the proxy by hand`;
    case 'image':
      return `container ${container} is ${name}, which keeps keys and base URLs in its own settings: point them at the proxy there`;
    case 'unread':
      return `container ${container} takes variables from ${name}, which is not read here`;
    case 'key':
    case 'baseUrl':
      break;
    default:
      return kind satisfies never;
  }
  if (provider === null) return null;
  if (!providers.includes(provider))
    return `${where}: ${provider} is not among the providers of the injection settings`;
  if (left.some((item) => item === `${container}/${name}`)) return '';
  const hasAddress = signs.some((other) => other.container === container && other.name === 'AZURE_OPENAI_ENDPOINT');
  if (provider === 'azure' && !hasAddress)
    return `${where}: without AZURE_OPENAI_ENDPOINT its address is in the code, and cannot be led to the proxy`;
  return null;
};

const coverageOf = (signs: readonly Sign[], gaps: readonly Gap[]): Coverage => {
  const calls = signs.filter(({ kind }) => kind !== 'image' && kind !== 'unread');
  if (calls.length === 0) return 'Unknown';
  const past = gaps.filter(({ sign }) => calls.includes(sign));
  if (past.length === 0) return 'Full';
  // A key whose base URL stays where it is goes past as well.
  const whole = calls.filter(
    (sign) => !past.some((gap) => gap.sign === sign || (gap.sign.provider !== null && sameCalls(gap.sign, sign))),
  );
  return whole.length === 0 ? 'None' : 'Partial';
};

const sameCalls = (a: Sign, b: Sign): boolean => a.container === b.container && a.provider === b.provider;
