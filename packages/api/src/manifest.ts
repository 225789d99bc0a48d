/** The door for manifests: whatever a file or an API call holds becomes a typed resource, or a list of all that is wrong. */
import { pathText, type Fault } from './fault.ts';
import { issueMessage, issueProblems, type Problem } from './issue-problem.ts';
import { API_VERSION, KINDS } from './v1alpha1/group.ts';
import { LLMInferenceServiceSchema, type LLMInferenceService } from './v1alpha1/llm-inference-service.ts';
import { ModelRouteSchema, type ModelRoute } from './v1alpha1/model-route.ts';
import { TokenBudgetSchema, type TokenBudget } from './v1alpha1/token-budget.ts';

export type Resource = TokenBudget | ModelRoute | LLMInferenceService;

export type ManifestResult =
  | { readonly ok: true; readonly resource: Resource }
  | {
      readonly ok: false;
      /** `TokenBudget team-a/chat`, or as much of it as could be read. */
      readonly title: string;
      readonly faults: readonly Fault[];
    };

const SCHEMAS = {
  TokenBudget: TokenBudgetSchema,
  ModelRoute: ModelRouteSchema,
  LLMInferenceService: LLMInferenceServiceSchema,
} as const;

/**
 * ```ts
 * parseManifest({ apiVersion: 'tollgate.dev/v1alpha1', kind: 'TokenBudget', metadata: { name: 'chat' }, spec: { limits: [] } });
 * // → { ok: false, title: 'TokenBudget default/chat', faults: [{ path: 'spec.limits', message: 'must have at least 1 entry' }] }
 * ```
 */
export const parseManifest = (value: unknown): ManifestResult => {
  const reading = readManifest(value);
  if (reading.ok) return reading;
  const faults = reading.problems.map(({ steps, message }) => ({ path: pathText(steps), message }));
  return { ok: false, title: manifestTitle(value), faults };
};

/** The same, with the place of each problem in steps. */
export const readManifest = (
  value: unknown,
):
  | { readonly ok: true; readonly resource: Resource }
  | { readonly ok: false; readonly problems: readonly Problem[] } => {
  const unsafe = unsafeNames(value, []);
  if (unsafe.length > 0) return { ok: false, problems: unsafe };
  if (!isMap(value)) {
    return { ok: false, problems: [{ steps: [], message: 'must be a map with apiVersion, kind, metadata and spec' }] };
  }
  const kind = KINDS.find((known) => known === value['kind']);
  if (kind === undefined || value['apiVersion'] !== API_VERSION) return { ok: false, problems: typeProblems(value) };
  const parsed = SCHEMAS[kind].safeParse(value, { error: issueMessage });
  return parsed.success
    ? { ok: true, resource: parsed.data }
    : { ok: false, problems: parsed.error.issues.flatMap(issueProblems) };
};

/** `TokenBudget team-a/chat` of anything; never throws. */
export const manifestTitle = (value: unknown): string => {
  if (!isMap(value)) return 'manifest';
  const metadata = isMap(value['metadata']) ? value['metadata'] : {};
  const kind = typeof value['kind'] === 'string' ? printable(value['kind']) : 'manifest';
  const name = typeof metadata['name'] === 'string' ? printable(metadata['name']) : null;
  const namespace = typeof metadata['namespace'] === 'string' ? printable(metadata['namespace']) : 'default';
  return name === null ? kind : `${kind} ${namespace}/${name}`;
};

/** Where the type is not known, nothing else can be said. */
const typeProblems = ({ apiVersion, kind }: Readonly<Record<string, unknown>>): Problem[] => {
  const problems: Problem[] = [];
  if (apiVersion !== API_VERSION) {
    problems.push({ steps: ['apiVersion'], message: `must be ${API_VERSION}${butIs(apiVersion)}` });
  }
  if (!KINDS.some((known) => known === kind)) {
    problems.push({ steps: ['kind'], message: `must be one of ${KINDS.join(', ')}${butIs(kind)}` });
  }
  return problems;
};

const butIs = (value: unknown): string =>
  typeof value === 'string' ? `, not ${JSON.stringify(value.slice(0, 80))}` : '';

/** Deeper than any kind here goes, a PodSpec included. */
const MAX_DEPTH = 64;
const UNSAFE = new Set(['__proto__', 'constructor', 'prototype']);

/** Names that change what an object is, where a careless copy meets them; and depth that exhausts a stack. */
const unsafeNames = (value: unknown, steps: readonly PropertyKey[]): Problem[] => {
  if (typeof value !== 'object' || value === null) return [];
  if (steps.length > MAX_DEPTH) return [{ steps: [], message: `must not be nested deeper than ${MAX_DEPTH} levels` }];
  if (Array.isArray(value)) return value.flatMap((entry, index) => unsafeNames(entry, [...steps, index]));
  return Object.entries(value).flatMap(([name, entry]) =>
    UNSAFE.has(name)
      ? [{ steps: [...steps, name], message: 'this name is not allowed' }]
      : unsafeNames(entry, [...steps, name]),
  );
};

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names go to terminals and logs before anything has checked them. */
const printable = (text: string): string => JSON.stringify(text.slice(0, 80)).slice(1, -1);
