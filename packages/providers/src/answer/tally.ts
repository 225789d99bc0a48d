import type { Answer } from '../format.ts';
import { makeKeyTable } from '../scan/key-table.ts';
import { JsonScanner, type ScanRules } from '../scan/json-scanner.ts';
import { type Counts, type CountsResult } from './counts.ts';
import type { Reading } from './inclusive-usage.ts';

/** The keys that any provider's answer or stream event is read by. */
const NAMES = [
  'role',
  'id',
  'call_id',
  'signature',
  'annotations',
  'logprobs',
  ...[
    'model',
    'usage',
    'error',
    'type',
    'choices',
    'delta',
    'message',
    'text',
    'finish_reason',
    'content_block',
    'content',
  ],
  ...[
    'response',
    'output',
    'status',
    'thinking',
    'partial_json',
    'stop_reason',
    'candidates',
    'usageMetadata',
    'modelVersion',
  ],
  ...[
    'service_tier',
    'promptFeedback',
    'blockReason',
    'finishReason',
    'groundingMetadata',
    'webSearchQueries',
    'parts',
    'thoughtSignature',
  ],
] as const;

export type AnswerScanner = JsonScanner<(typeof NAMES)[number]>;

/** Answers are read, not judged: a double key is the provider's affair, and nothing is refused for its size. */
const ANSWER_RULES: ScanRules = { strictKeys: false, maxDepth: 1024, maxEffort: Number.MAX_SAFE_INTEGER };

const keys = makeKeyTable(NAMES);

export const makeAnswerScanner = (bytes: Buffer): AnswerScanner => new JsonScanner(bytes, keys, ANSWER_RULES);

/** How one format states its usage: figures out of the usage object, and disjoint kinds out of the figures. */
export interface UsageRules {
  readonly figures: (usage: unknown) => CountsResult<string>;
  readonly usage: (figures: Counts<string>) => Reading;
  /** Figures that lower a charge: the last word on them counts. All others never fall from one statement to the next. */
  readonly discounts: readonly string[];
}

/** Where the last event read has its `usage` member, for those who take it out again. */
export interface UsageMember {
  readonly keyStart: number;
  readonly end: number;
  readonly isNull: boolean;
}

/** An answer while it is being read, event by event. */
export interface Tally {
  readonly rules: UsageRules;
  model: string | null;
  /** At which tier the provider says that it served the call; it may differ from the one that was asked. */
  serviceTier: string | null;
  figures: Counts<string> | null;
  isFinal: boolean;
  fault: string | null;
  /** An event was too long to be read: its figures, if it had any, are lost. */
  overlong: string | null;
  deliveredBytes: number;
  /** Searches at the provider that the answer lists rather than counts in its usage. */
  searches: number;
  complete: boolean;
  errored: boolean;
  /** A choice or candidate has said why it ended. */
  finished: boolean;
  /** Of the last event only: is its list of choices there and empty; where is its usage. */
  isBare: boolean;
  member: UsageMember | null;
}

export const makeTally = (rules: UsageRules): Tally => ({
  rules,
  model: null,
  serviceTier: null,
  figures: null,
  isFinal: false,
  fault: null,
  overlong: null,
  deliveredBytes: 0,
  searches: 0,
  complete: false,
  errored: false,
  finished: false,
  isBare: false,
  member: null,
});

export const answerOf = (tally: Tally): Answer => {
  const reading: Reading = tally.figures === null ? { usage: null, fault: null } : tally.rules.usage(tally.figures);
  const usage =
    reading.usage !== null && tally.searches > 0 ? { ...reading.usage, webSearch: tally.searches } : reading.usage;
  return {
    model: tally.model,
    serviceTier: tally.serviceTier,
    usage: tally.isFinal ? usage : null,
    floor: usage,
    usageFault: tally.fault ?? tally.overlong ?? reading.fault,
    deliveredBytes: tally.deliveredBytes,
    complete: tally.complete,
    errored: tally.errored,
  };
};

/** More than any usage object takes; what is larger is not parsed. */
const MAX_USAGE_BYTES = 1 << 16;

/** Reads the usage object that comes next; true where there was a usable one. */
export const takeUsage = (scan: AnswerScanner, tally: Tally): boolean => {
  const keyStart = scan.keyStart;
  const kind = scan.peek();
  const start = scan.pos;
  scan.skip();
  tally.member = { keyStart, end: scan.pos, isNull: kind === 'null' };
  if (kind === 'null') return false;
  const read =
    kind === 'object' && scan.pos - start <= MAX_USAGE_BYTES
      ? tally.rules.figures(parsed(scan.bytes.toString('utf8', start, scan.pos)))
      : { ok: false as const, fault: 'the usage is not an object' };
  if (!read.ok) {
    tally.fault = read.fault;
    return false;
  }
  tally.figures = merged(tally.figures, read.counts, tally.rules.discounts);
  return true;
};

/** What the provider states about a call only grows; a later, lower figure is not believed. */
const merged = (before: Counts<string> | null, now: Counts<string>, discounts: readonly string[]): Counts<string> => {
  if (before === null) return now;
  const figures: Partial<Record<string, number>> = { ...now };
  for (const [name, figure] of Object.entries(before)) {
    if (figure !== undefined && !discounts.includes(name)) figures[name] = Math.max(figure, now[name] ?? 0);
  }
  return figures;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

const MAX_MODEL_BYTES = 256;

export const takeModel = (scan: AnswerScanner, tally: Tally): void => {
  if (tally.model === null && scan.peek() === 'string') tally.model = scan.text(MAX_MODEL_BYTES);
  else scan.skip();
};

/** Counts the bytes of the strings in the value that comes next as delivered, but for the words of the protocol itself. */
export const takeContent = (scan: AnswerScanner, tally: Tally): void => {
  const kind = scan.peek();
  if (kind === 'object') {
    for (let more = scan.openObject(); more; more = scan.anotherMember()) {
      const key = scan.key();
      if (isStructure(key)) scan.skip();
      // What the protocol does not name (a tool's arguments) was generated whole, whatever its own keys are called.
      else if (key === '') takeStrings(scan, tally);
      else takeContent(scan, tally);
    }
  } else if (kind === 'array') {
    for (let more = scan.openArray(); more; more = scan.anotherElement()) takeContent(scan, tally);
  } else takeStrings(scan, tally);
};

const takeStrings = (scan: AnswerScanner, tally: Tally): void => {
  const before = scan.textBytes;
  scan.skip();
  tally.deliveredBytes += scan.textBytes - before;
};

/** Members that name or frame a part and are no output: a stream has them once, its JSON twin elsewhere. */
export const isStructure = (key: string | null): boolean => key !== null && STRUCTURE.has(key);

const STRUCTURE: ReadonlySet<string> = new Set([
  'type',
  'role',
  'id',
  'call_id',
  'status',
  'signature',
  'thoughtSignature',
  'annotations',
  'logprobs',
]);

/** Is there something other than null? */
export const takePresence = (scan: AnswerScanner): boolean => {
  const kind = scan.peek();
  scan.skip();
  return kind !== 'null';
};

/** A short string, or null. */
export const takeWord = (scan: AnswerScanner): string | null => {
  if (scan.peek() === 'string') return scan.text(64);
  scan.skip();
  return null;
};

/** Runs `read` on each object of a list; answers whether the list is there and empty. */
export const eachObject = (scan: AnswerScanner, read: () => void): boolean => {
  if (scan.peek() !== 'array') {
    scan.skip();
    return false;
  }
  let isEmpty = true;
  for (let more = scan.openArray(); more; more = scan.anotherElement()) {
    isEmpty = false;
    if (scan.peek() === 'object') read();
    else scan.skip();
  }
  return isEmpty;
};
