/** Manifests as people keep them: files of one or more YAML documents. Every fault says its file, document and line. */
import { isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments, type Document } from 'yaml';
import { pathText, type Fault } from './fault.ts';
import { manifestTitle, readManifest, type Resource } from './manifest.ts';

export interface ManifestFault extends Fault {
  readonly file: string;
  /** 1 for the first document of the file. */
  readonly document: number;
  /** 1 for the first line; null where the fault has no place. */
  readonly line: number | null;
  /** `TokenBudget team-a/chat`, or as much of it as could be read. */
  readonly title: string;
}

export interface LocatedResource {
  readonly resource: Resource;
  readonly file: string;
  readonly document: number;
  readonly line: number;
}

export interface ManifestsResult {
  /** The sound ones, also where others are not: whoever reads a folder decides what a fault costs. */
  readonly resources: readonly LocatedResource[];
  readonly faults: readonly ManifestFault[];
}

export interface ManifestFile {
  readonly name: string;
  readonly text: string;
}

/** Kubernetes itself takes no object above 1.5 MiB. */
const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_ALIASES = 100;

/** All documents of one file; empty documents are skipped. */
export const parseManifests = (text: string, fileName: string): ManifestsResult =>
  parseManifestFiles([{ name: fileName, text }]);

/** All documents of several files. Two resources of one kind, namespace and name are a fault of the later one. */
export const parseManifestFiles = (files: readonly ManifestFile[]): ManifestsResult => {
  const resources: LocatedResource[] = [];
  const faults: ManifestFault[] = [];
  const places = new Map<string, LocatedResource>();
  for (const file of files) {
    for (const reading of readDocuments(file)) {
      if (!('resource' in reading)) {
        faults.push(...reading.faults);
        continue;
      }
      const { kind, metadata } = reading.resource;
      const id = `${kind} ${metadata.namespace}/${metadata.name}`;
      const earlier = places.get(id);
      if (earlier === undefined) {
        places.set(id, reading);
        resources.push(reading);
      } else {
        const { resource: _, ...place } = reading;
        const message = `is already defined at ${earlier.file}:${earlier.line}`;
        faults.push({ ...place, title: id, path: 'metadata.name', message });
      }
    }
  }
  return { resources, faults };
};

/** `quickstart.yaml:12: TokenBudget team-a/chat: spec.limits[0].cost.max: must be more than 0` */
export const manifestFaultText = ({ file, line, document, title, path, message }: ManifestFault): string =>
  [line === null ? `${file} (document ${document})` : `${file}:${line}`, title, path, message]
    .filter((part) => part !== '')
    .join(': ');

type Reading = LocatedResource | { readonly faults: readonly ManifestFault[] };

const readDocuments = ({ name: file, text }: ManifestFile): readonly Reading[] => {
  const whole = (message: string): readonly Reading[] => [
    { faults: [{ file, document: 1, line: null, title: 'file', path: '', message }] },
  ];
  if (text.length > MAX_CHARACTERS) return whole(`must have at most ${MAX_CHARACTERS} characters`);
  const lines = new LineCounter();
  try {
    const parsed = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
      lineCounter: lines,
      uniqueKeys: true,
      merge: true,
      logLevel: 'silent',
    });
    const documents = 'empty' in parsed ? [] : parsed;
    return documents.flatMap((document, index) => readDocument(document, { file, document: index + 1, lines }));
  } catch (cause) {
    // The parser recurses: text nested a hundred thousand levels deep ends its stack.
    if (cause instanceof RangeError) return whole('is nested too deeply');
    throw cause;
  }
};

interface Place {
  readonly file: string;
  readonly document: number;
  readonly lines: LineCounter;
}

const readDocument = (parsed: Document.Parsed, { file, document, lines }: Place): readonly Reading[] => {
  if (parsed.errors.length > 0) {
    // The parser often finds one mistake twice, at two columns of its line.
    const faults = new Map<string, ManifestFault>();
    for (const { message, linePos } of parsed.errors) {
      const line = linePos?.[0].line ?? null;
      const fault = { file, document, line, title: 'YAML', path: '', message: firstLine(message) };
      faults.set(manifestFaultText(fault), fault);
    }
    return [{ faults: [...faults.values()] }];
  }
  const { contents } = parsed;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  const lineOf = (steps: readonly PropertyKey[]): number => lines.linePos(offsetOf(contents, steps)).line;
  const value = valueOf(parsed);
  if (value instanceof ReferenceError) {
    return [
      { faults: [{ file, document, line: lineOf([]), title: 'YAML', path: '', message: firstLine(value.message) }] },
    ];
  }
  const reading = readManifest(value);
  if (reading.ok) return [{ resource: reading.resource, file, document, line: lineOf([]) }];
  const title = manifestTitle(value);
  const faults = reading.problems.map(({ steps, message }) => {
    return { file, document, line: lineOf(steps), title, path: pathText(steps), message };
  });
  return [{ faults }];
};

/** Aliases that multiply ("a billion laughs") and aliases of nothing are the reader's errors, not the schema's. */
const valueOf = (parsed: Document.Parsed): unknown => {
  try {
    return parsed.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    if (cause instanceof ReferenceError) return cause;
    throw cause;
  }
};

/** Where the last step that is there begins: a missing field is reported at the map that lacks it. */
const offsetOf = (contents: Document.Parsed['contents'], steps: readonly PropertyKey[]): number => {
  let node: unknown = contents;
  let offset = contents?.range[0] ?? 0;
  for (const step of steps) {
    let here: unknown;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      here = pair?.key;
      node = pair?.value;
    } else if (isSeq(node)) {
      here = node.items[Number(step)];
      node = here;
    }
    if (!isNode(here)) return offset;
    offset = here.range?.[0] ?? offset;
  }
  return offset;
};

/** The parser adds a drawing of the place to its messages. */
const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
