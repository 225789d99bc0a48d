import type { ImagePart } from '../format.ts';
import { base64ImageSize, pictureUrl } from '../image/inline-image.ts';
import { makeKeyTable } from '../scan/key-table.ts';
import type { JsonScanner } from '../scan/json-scanner.ts';
import { type Draft, addImage, flag } from './draft.ts';
import { readLabel, readPresence } from './scalars.ts';

/** The keys that OpenAI's and Anthropic's bodies are priced by, at any level that is looked into. */
const NAMES = [
  ...['model', 'stream', 'max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n', 'best_of', 'stream_options'],
  ...[
    'include_usage',
    'user',
    'safety_identifier',
    'metadata',
    'user_id',
    'service_tier',
    'thinking',
    'speed',
    'messages',
    'input',
    'prompt',
  ],
  ...[
    'system',
    'instructions',
    'tools',
    'functions',
    'web_search_options',
    'previous_response_id',
    'conversation',
    'background',
  ],
  ...[
    'prediction',
    'mcp_servers',
    'container',
    'cache_control',
    'ttl',
    'id',
    'type',
    'role',
    'content',
    'output',
    'text',
  ],
  ...[
    'image_url',
    'image',
    'url',
    'detail',
    'source',
    'data',
    'media_type',
    'file_id',
    'file_data',
    'file_url',
    'file',
  ],
  ...['input_audio', 'audio', 'audio_url', 'video_url', 'video'],
] as const;

export type RequestKey = (typeof NAMES)[number];
export type RequestScanner = JsonScanner<RequestKey>;

export const requestKeys = makeKeyTable(NAMES);

/**
 * Text, a part, or a list of them: the `content` of a message, the `output` of a tool. Text is bounded by its bytes; images
 * are collected with their dimensions; what can stand for more than its bytes is flagged. A part of a type that is not
 * listed here is flagged too: it may be a reference to anything.
 */
export const readContent = (scan: RequestScanner, draft: Draft): void => {
  const kind = scan.peek();
  if (kind === 'object') readPart(scan, draft);
  else if (kind === 'array') {
    for (let more = scan.openArray(); more; more = scan.anotherElement()) {
      if (scan.peek() === 'object') readPart(scan, draft);
      else scan.skip();
    }
  } else scan.skip();
};

/** What one part's keys said, whatever their order; the type decides at the end. */
interface Part {
  type: string | null;
  image: ImagePart | null;
  detail: ImagePart['detail'];
  hasFile: boolean;
  hasMedia: boolean;
  source: Source | null;
}

interface Source {
  readonly type: string | null;
  readonly isImage: boolean;
}

const readPart = (scan: RequestScanner, draft: Draft): void => {
  const part: Part = { type: null, image: null, detail: null, hasFile: false, hasMedia: false, source: null };
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    switch (scan.key()) {
      case 'type':
        part.type = readLabel(scan);
        break;
      case 'content':
      case 'output':
        readContent(scan, draft);
        break;
      case 'image_url':
      case 'image':
        readPicture(scan, draft, part);
        break;
      case 'detail':
        part.detail = readDetail(scan);
        break;
      case 'source':
        part.source = scan.peek() === 'object' ? readSource(scan, draft) : skipped(scan);
        break;
      case 'file_id':
        part.hasFile = readPresence(scan) || part.hasFile;
        break;
      case 'file':
        part.hasFile = readFile(scan) || part.hasFile;
        break;
      case 'audio':
      case 'input_audio':
      case 'audio_url':
        if (readPresence(scan)) flag(draft, 'audio_input');
        break;
      case 'video':
      case 'video_url':
        if (readPresence(scan)) flag(draft, 'video');
        break;
      case 'cache_control':
        readCacheControl(scan, draft);
        break;
      default:
        scan.skip();
    }
  }
  settlePart(part, draft);
};

const settlePart = (part: Part, draft: Draft): void => {
  const { type } = part;
  if (part.image !== null) addImage(draft, { ...part.image, detail: part.image.detail ?? part.detail });
  if (type === null || PLAIN.has(type)) return;
  if (IMAGE.has(type)) {
    // An image by file id or remote source: its dimensions are not known here.
    if (part.image === null && part.source?.isImage !== true)
      addImage(draft, { width: null, height: null, detail: part.detail });
  } else if (type === 'document' && part.source?.type === 'text') return;
  else if (type === 'document' && part.source?.type === 'content') return;
  else if (DOCUMENT.has(type))
    flag(draft, part.hasFile || part.source?.type === 'file' ? 'file_reference' : 'document');
  else if (type === 'input_audio' || type === 'audio' || type === 'audio_url') flag(draft, 'audio_input');
  else if (type === 'video' || type === 'video_url' || type === 'input_video') flag(draft, 'video');
  else if (type === 'item_reference') flag(draft, 'previous_response');
  else if (type === 'container_upload') flag(draft, 'file_reference');
  else flag(draft, 'unknown_part');
};

const IMAGE: ReadonlySet<string> = new Set([
  'image_url',
  'input_image',
  'image',
  'computer_screenshot',
  'image_generation_call',
]);
const DOCUMENT: ReadonlySet<string> = new Set(['file', 'input_file', 'document']);

/** Types whose text is all there is: parts, items of a Responses input, blocks of a Messages conversation. */
const PLAIN: ReadonlySet<string> = new Set([
  ...[
    'text',
    'input_text',
    'output_text',
    'summary_text',
    'reasoning_text',
    'refusal',
    'message',
    'reasoning',
    'thinking',
  ],
  ...[
    'redacted_thinking',
    'compaction',
    'function',
    'function_call',
    'function_call_output',
    'custom_tool_call',
    'custom_tool_call_output',
  ],
  ...[
    'tool_use',
    'tool_result',
    'tool_reference',
    'server_tool_use',
    'search_result',
    'web_search_tool_result',
    'web_search_result',
  ],
  ...[
    'web_fetch_tool_result',
    'web_fetch_result',
    'code_execution_tool_result',
    'code_execution_result',
    'bash_code_execution_tool_result',
  ],
  ...[
    'bash_code_execution_result',
    'text_editor_code_execution_tool_result',
    'tool_search_tool_result',
    'mcp_tool_use',
    'mcp_tool_result',
  ],
  ...[
    'mcp_list_tools',
    'mcp_call',
    'mcp_approval_request',
    'mcp_approval_response',
    'web_search_call',
    'file_search_call',
  ],
  ...[
    'code_interpreter_call',
    'computer_call',
    'computer_call_output',
    'local_shell_call',
    'local_shell_call_output',
    'shell_call',
  ],
  ...['shell_call_output', 'apply_patch_call', 'apply_patch_call_output'],
]);

/** `image_url` is a URL or an object with one. */
const readPicture = (scan: RequestScanner, draft: Draft, part: Part): void => {
  const kind = scan.peek();
  if (kind === 'string') {
    part.image = readPictureUrl(scan, draft) ?? part.image;
    return;
  }
  if (kind !== 'object') {
    scan.skip();
    return;
  }
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (key === 'url' && scan.peek() === 'string') part.image = readPictureUrl(scan, draft) ?? part.image;
    else if (key === 'detail') part.detail = readDetail(scan);
    else scan.skip();
  }
};

const readPictureUrl = (scan: RequestScanner, draft: Draft): ImagePart | null => {
  const start = scan.pos + 1;
  const end = scan.skipString();
  const url = pictureUrl(draft.body, start, end);
  if (url.kind === 'other') flag(draft, 'document');
  if (url.kind !== 'image') return url.kind === 'remote' ? { width: null, height: null, detail: null } : null;
  draft.imageBytes += end - start;
  const size = base64ImageSize(draft.body, url.start, end);
  return { width: size?.width ?? null, height: size?.height ?? null, detail: null };
};

const readDetail = (scan: RequestScanner): ImagePart['detail'] => {
  const detail = readLabel(scan);
  return detail === 'low' || detail === 'high' || detail === 'auto' ? detail : null;
};

/** Anthropic's `source`: base64, url, file, text or nested content. Its own images are added here. */
const readSource = (scan: RequestScanner, draft: Draft): Source => {
  let type: string | null = null;
  let mediaType: string | null = null;
  let data: { start: number; end: number } | null = null;
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (key === 'type') type = readLabel(scan);
    else if (key === 'media_type') mediaType = readLabel(scan);
    else if (key === 'content') readContent(scan, draft);
    else if (key === 'data' && scan.peek() === 'string') data = { start: scan.pos + 1, end: scan.skipString() };
    else scan.skip();
  }
  const isImage = type === 'base64' && data !== null && mediaType?.startsWith('image/') === true;
  if (isImage && data !== null) {
    draft.imageBytes += data.end - data.start;
    const size = base64ImageSize(draft.body, data.start, data.end);
    addImage(draft, { width: size?.width ?? null, height: size?.height ?? null, detail: null });
  }
  return { type, isImage };
};

/** OpenAI's `file` part: is it named by id (true), or does it carry its data (false)? */
const readFile = (scan: RequestScanner): boolean => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return false;
  }
  let named = false;
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() === 'file_id') named = readPresence(scan);
    else scan.skip();
  }
  return named;
};

/** Anthropic writes into its cache for five minutes unless told `ttl: "1h"`; an unknown ttl is taken for the dearer. */
export const readCacheControl = (scan: RequestScanner, draft: Draft): void => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return;
  }
  let ttl: string | null = '5m';
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() === 'ttl') ttl = readLabel(scan);
    else scan.skip();
  }
  draft.cacheWrite = ttl === '5m' && draft.cacheWrite !== '1h' ? '5m' : '1h';
};

const skipped = (scan: RequestScanner): null => {
  scan.skip();
  return null;
};
