import { type RequestKey, type RequestScanner, readContent } from '../envelope/content.ts';
import { type Draft, flag } from '../envelope/draft.ts';
import { readBoolean, readCount, readLabel, readModel } from '../envelope/scalars.ts';
import { ScanFault } from '../scan/scan-fault.ts';

/** The keys that all four OpenAI bodies share; false = not one of them (its value is still to be read). */
export const readSharedKey = (scan: RequestScanner, draft: Draft, key: RequestKey | ''): boolean => {
  switch (key) {
    case 'model':
      readModel(scan, draft);
      return true;
    case 'stream':
      draft.stream = readBoolean(scan, 'stream') ?? false;
      return true;
    case 'user':
      draft.user ??= readLabel(scan);
      return true;
    case 'safety_identifier':
      draft.user = readLabel(scan) ?? draft.user;
      return true;
    case 'service_tier':
      draft.serviceTier = readLabel(scan);
      return true;
    default:
      return false;
  }
};

export const readStreamOptions = (scan: RequestScanner, draft: Draft): void => {
  const start = scan.pos;
  const kind = scan.peek();
  if (kind === 'null') {
    scan.skip();
    draft.splice.streamOptions = { start, end: scan.pos, isObject: false, isEmpty: true };
    return;
  }
  if (kind !== 'object') throw new ScanFault('invalid_value', 'stream_options must be an object', 'stream_options');
  let isEmpty = true;
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    isEmpty = false;
    const key = scan.key();
    const from = scan.pos;
    if (key === 'include_usage') {
      draft.includeUsage = readBoolean(scan, 'stream_options.include_usage');
      draft.splice.includeUsage = { start: from, end: scan.pos };
    } else scan.skip();
  }
  draft.splice.streamOptions = { start, end: scan.pos, isObject: true, isEmpty };
};

/** `n` and `best_of`: the larger is generated, and billed. */
export const readChoices = (scan: RequestScanner, draft: Draft, param: 'n' | 'best_of'): void => {
  draft.choices = Math.max(draft.choices, readCount(scan, param, MAX_CHOICES) ?? 1);
};

const MAX_CHOICES = 128;

/** A list of messages or input items; a lone string counts as one. */
export const readMessages = (scan: RequestScanner, draft: Draft): void => {
  if (scan.peek() !== 'array') {
    draft.messages += 1;
    readContent(scan, draft);
    return;
  }
  // Each item is read like a part: it has a type, or a role and content.
  const start = scan.pos;
  draft.messages += countElements(scan, () => {
    readContent(scan, draft);
  });
  if (scan.pos - start <= 2) draft.messages += 1;
};

export const countElements = (scan: RequestScanner, read: () => void): number => {
  let count = 0;
  for (let more = scan.openArray(); more; more = scan.anotherElement()) {
    count += 1;
    read();
  }
  return count;
};

/** Tools that run at the provider call the model again on their own: no cap on the input bounds that. */
export const readTools = (scan: RequestScanner, draft: Draft, clientTools: ReadonlySet<string>): void => {
  if (scan.peek() !== 'array') {
    scan.skip();
    return;
  }
  draft.tools += countElements(scan, () => {
    if (!clientTools.has(readToolType(scan))) flag(draft, 'hosted_tool');
  });
};

const readToolType = (scan: RequestScanner): string => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return '';
  }
  let type: string | null = '';
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() === 'type') type = readLabel(scan);
    else scan.skip();
  }
  return type ?? '';
};

/** Run by the caller; anything else (web_search, file_search, code_interpreter, computer use, mcp, image_generation …) is hosted. */
export const OPENAI_CLIENT_TOOLS: ReadonlySet<string> = new Set([
  'function',
  'custom',
  'local_shell',
  'apply_patch',
  '',
]);
