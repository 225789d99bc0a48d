/** Manifests in, the same with the proxy in every pod template out, by the injector's own decisions. Pure. */
import {
  INJECT,
  injectFault,
  injectPod,
  isMap,
  oddInjectValue,
  PodSchema,
  wishOf,
  type InjectionSettings,
  type JsonPatch,
  type NamespaceFacts,
  type Pod,
} from '@tollgate/operator/injection';
import { isMap as isYamlMap, parseAllDocuments, stringify } from 'yaml';
import { patched, workloadPod } from '../workload-pod.ts';

export interface InjectContext {
  readonly settings: InjectionSettings;
  /** Of the namespace that a manifest names, or else the one that it would be applied to. */
  readonly namespaceOf: (manifest: unknown) => NamespaceFacts;
}

export interface InjectedManifests {
  readonly text: string;
  /** One for each workload, and what is odd about it. */
  readonly remarks: readonly string[];
  readonly faults: readonly string[];
}

export const injectManifests = (text: string, context: InjectContext): InjectedManifests => {
  const documents = [...parseAllDocuments(text)];
  const faults = documents.flatMap(({ errors }) => errors.map(({ message }) => message));
  if (faults.length > 0) return { text: '', remarks: [], faults };
  const remarks: string[] = [];
  const refused: string[] = [];
  const written = documents.map((document) => {
    // A document that is not touched keeps its own words, comments and order.
    if (!isYamlMap(document.contents)) return document.toString();
    const manifest: unknown = document.toJS();
    const result = injectObject(manifest, context);
    remarks.push(...result.remarks);
    refused.push(...result.refused);
    return result.object === manifest
      ? document.toString()
      : stringify(result.object, { aliasDuplicateObjects: false });
  });
  return { text: joined(written), remarks, faults: refused };
};

interface Result {
  /** The very one where nothing of it is touched. */
  readonly object: unknown;
  readonly remarks: readonly string[];
  readonly refused: readonly string[];
}

const injectObject = (manifest: unknown, context: InjectContext): Result => {
  if (!isMap(manifest)) return untouched(manifest);
  const { kind, items } = manifest;
  if (kind === 'List' && Array.isArray(items)) {
    const results = items.map((item) => injectObject(item, context));
    const isSame = results.every(({ object }, index) => object === items[index]);
    return {
      object: isSame ? manifest : { ...manifest, items: results.map(({ object }) => object) },
      remarks: results.flatMap(({ remarks }) => remarks),
      refused: results.flatMap(({ refused }) => refused),
    };
  }
  if (kind === 'Pod' && manifest['apiVersion'] === 'v1') return injectBarePod(manifest, context);
  return typeof kind === 'string' ? injectWorkload(kind, manifest, context) : untouched(manifest);
};

const injectBarePod = (manifest: Readonly<Record<string, unknown>>, context: InjectContext): Result => {
  const parsed = PodSchema.safeParse(manifest);
  if (!parsed.success) return untouched(manifest);
  const name = `pod/${parsed.data.metadata.name ?? parsed.data.metadata.generateName ?? ''}`;
  const pod = parsed.data;
  const odd = oddInjectValue(pod.metadata.annotations?.[INJECT], pod.metadata.labels?.[INJECT]);
  if (odd !== null) return faulty(manifest, name, injectFault(odd));
  return decided(manifest, { name, pod, template: manifest, at: '', warnings: [] }, context);
};

const injectWorkload = (kind: string, manifest: Readonly<Record<string, unknown>>, context: InjectContext): Result => {
  const workload = workloadPod(kind, manifest);
  if (workload === null) return untouched(manifest);
  const { pod, template, templatePath: at, warnings, fault } = workload;
  const name = `${workload.kind.toLowerCase()}/${workload.name}`;
  if (fault !== null) return faulty(manifest, name, fault);
  return decided(manifest, { name, pod, template, at, warnings }, context);
};

interface Template {
  readonly name: string;
  /** As the injector would come to see it. */
  readonly pod: Pod;
  /** As it is written. */
  readonly template: Readonly<Record<string, unknown>>;
  /** Pointer in the manifest. */
  readonly at: string;
  readonly warnings: readonly string[];
}

/** Who runs the command asks for the proxy; a pod that says "false" keeps its no. */
const decided = (
  manifest: Readonly<Record<string, unknown>>,
  { name, pod, template, at, warnings }: Template,
  { settings, namespaceOf }: InjectContext,
): Result => {
  const says = (...what: readonly string[]): readonly string[] => what.map((each) => `${name}: ${each}`);
  const asking = wishOf(pod) === null ? askingPatch(pod) : [];
  const injection = injectPod(patched(pod, asking), namespaceOf(manifest), settings);
  switch (injection.outcome) {
    case 'refused':
      return { object: manifest, remarks: [], refused: says(`${injection.message} (${injection.reason})`) };
    case 'skipped': {
      const why = `left as it is: ${injection.message} (${injection.reason})`;
      return { object: manifest, remarks: says(...warnings, why), refused: [] };
    }
    case 'injected':
    case 'repaired':
    case 'already': {
      // Without the annotation in the template the injector would take what comes of it for a forgery.
      const operations = [...asking, ...injection.patch];
      const object = operations.length === 0 ? manifest : edited(manifest, at, patched(template, operations));
      return { object, remarks: says(...warnings, ...injection.warnings), refused: [] };
    }
    default:
      return injection satisfies never;
  }
};

const askingPatch = ({ metadata: { annotations } }: Pod): JsonPatch => [
  { op: 'add', path: '/metadata/annotations', value: { ...annotations, [INJECT]: 'true' } },
];

/** The manifest with another template at that place. */
const edited = (manifest: unknown, at: string, template: unknown): unknown => {
  const place = (value: unknown, [first, ...rest]: readonly string[]): unknown =>
    first === undefined
      ? template
      : { ...(isMap(value) ? value : {}), [first]: place(isMap(value) ? value[first] : null, rest) };
  return place(manifest, at.split('/').slice(1));
};

const faulty = (manifest: unknown, name: string, fault: string): Result => ({
  object: manifest,
  remarks: [],
  refused: [`${name}: ${fault}`],
});

const untouched = (object: unknown): Result => ({ object, remarks: [], refused: [] });

/** Documents end with a line end each, so that one marker lies between any two. */
const joined = (documents: readonly string[]): string =>
  documents
    .map((text, index) => (index === 0 || text.startsWith('---') ? text : `---\n${text}`))
    .map((text) => (text.endsWith('\n') ? text : `${text}\n`))
    .join('');
