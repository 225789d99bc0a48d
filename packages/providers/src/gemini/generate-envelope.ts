import { type Draft, addImage, flag } from '../envelope/draft.ts';
import { openTop } from '../envelope/open-top.ts';
import { REQUEST_RULES } from '../envelope/rules.ts';
import { readCount, readLabel, readOutputCap, readPresence } from '../envelope/scalars.ts';
import { base64ImageSize } from '../image/inline-image.ts';
import { JsonScanner } from '../scan/json-scanner.ts';
import { makeKeyTable } from '../scan/key-table.ts';
import { ScanFault } from '../scan/scan-fault.ts';

/**
 * `POST …/models/{model}:generateContent` and `:streamGenerateContent`; model and streaming stand in the path.
 * Google's servers read protobuf JSON, in which a field may be spelled `maxOutputTokens` or `max_output_tokens`:
 * both are one key here, and both together are a duplicate.
 */
const NAMES = [
  ...['contents', 'systemInstruction', 'tools', 'generationConfig', 'cachedContent', 'serviceTier', 'parts', 'role'],
  ...[
    'maxOutputTokens',
    'candidateCount',
    'text',
    'thought',
    'thoughtSignature',
    'inlineData',
    'fileData',
    'mimeType',
    'data',
  ],
  ...[
    'functionCall',
    'functionResponse',
    'functionDeclarations',
    'executableCode',
    'codeExecutionResult',
    'videoMetadata',
  ],
  ...['partMetadata', 'mediaResolution'],
] as const;

type Key = (typeof NAMES)[number];
type Scanner = JsonScanner<Key>;

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const keys = makeKeyTable<Key>(
  NAMES,
  Object.fromEntries(NAMES.filter((name) => snakeCase(name) !== name).map((name) => [snakeCase(name), name])),
);

export const readGenerateKeys = (body: Buffer, draft: Draft): void => {
  const scan: Scanner = new JsonScanner(body, keys, REQUEST_RULES);
  openTop(scan, draft);
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    switch (scan.key()) {
      case 'contents':
        draft.messages += each(scan, () => {
          readTurn(scan, draft);
        });
        break;
      case 'systemInstruction':
        if (scan.peek() === 'object') readTurn(scan, draft);
        else scan.skip();
        break;
      case 'tools':
        each(scan, () => {
          readTool(scan, draft);
        });
        break;
      case 'generationConfig':
        readGenerationConfig(scan, draft);
        break;
      case 'cachedContent':
        if (readPresence(scan)) flag(draft, 'cached_content');
        break;
      case 'serviceTier':
        draft.serviceTier = readLabel(scan);
        break;
      default:
        scan.skip();
    }
  }
  scan.finish();
};

/** Each element of a list (a lone object counts as a list of one); answers how many. */
const each = (scan: Scanner, read: () => void): number => {
  const kind = scan.peek();
  if (kind === 'object') {
    read();
    return 1;
  }
  if (kind !== 'array') {
    scan.skip();
    return 1;
  }
  let count = 0;
  for (let more = scan.openArray(); more; more = scan.anotherElement()) {
    count += 1;
    if (scan.peek() === 'object') read();
    else scan.skip();
  }
  return count;
};

const readTurn = (scan: Scanner, draft: Draft): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() === 'parts')
      each(scan, () => {
        readPart(scan, draft);
      });
    else scan.skip();
  }
};

const readPart = (scan: Scanner, draft: Draft): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    switch (scan.key()) {
      case 'inlineData':
        readInlineData(scan, draft);
        break;
      case 'fileData':
        if (readPresence(scan)) flag(draft, 'file_reference');
        break;
      case 'videoMetadata':
        if (readPresence(scan)) flag(draft, 'video');
        break;
      case 'functionResponse':
        // Its own `parts` may carry pictures.
        if (scan.peek() === 'object') readTurn(scan, draft);
        else scan.skip();
        break;
      case '':
        flag(draft, 'unknown_part');
        scan.skip();
        break;
      default:
        scan.skip();
    }
  }
};

const readInlineData = (scan: Scanner, draft: Draft): void => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return;
  }
  let mimeType = '';
  let data: { start: number; end: number } | null = null;
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (key === 'mimeType') mimeType = (readLabel(scan) ?? '').toLowerCase();
    else if (key === 'data' && scan.peek() === 'string') data = { start: scan.pos + 1, end: scan.skipString() };
    else scan.skip();
  }
  if (mimeType.startsWith('image/')) {
    const size = data === null ? null : base64ImageSize(draft.body, data.start, data.end);
    if (data !== null) draft.imageBytes += data.end - data.start;
    addImage(draft, { width: size?.width ?? null, height: size?.height ?? null, detail: null });
  } else if (mimeType.startsWith('audio/')) flag(draft, 'audio_input');
  else if (mimeType.startsWith('video/')) flag(draft, 'video');
  else flag(draft, 'document');
};

/** Everything but function declarations (googleSearch, codeExecution, urlContext, fileSearch, computerUse …) runs at Google. */
const readTool = (scan: Scanner, draft: Draft): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() === 'functionDeclarations') {
      draft.tools += each(scan, () => {
        scan.skip();
      });
    } else if (scan.peek() === 'null') scan.skip();
    else {
      flag(draft, 'hosted_tool');
      scan.skip();
    }
  }
};

const readGenerationConfig = (scan: Scanner, draft: Draft): void => {
  const start = scan.pos;
  const kind = scan.peek();
  if (kind === 'null') {
    scan.skip();
    draft.splice.generationConfig = { start, end: scan.pos, isObject: false, isEmpty: true };
    return;
  }
  if (kind !== 'object') throw new ScanFault('invalid_value', 'generationConfig must be an object', 'generationConfig');
  const isEmpty = scan.isEmptyNext();
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (key === 'maxOutputTokens') readOutputCap(scan, draft, key, 'generationConfig.maxOutputTokens');
    else if (key === 'candidateCount')
      draft.choices = readCount(scan, 'generationConfig.candidateCount', MAX_CANDIDATES) ?? 1;
    else scan.skip();
  }
  draft.splice.generationConfig = { start, end: scan.pos, isObject: true, isEmpty };
};

const MAX_CANDIDATES = 128;
