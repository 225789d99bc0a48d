import { type RequestScanner, readCacheControl, readContent } from '../envelope/content.ts';
import { type Draft, flag } from '../envelope/draft.ts';
import { readBoolean, readLabel, readModel, readOutputCap, readPresence } from '../envelope/scalars.ts';
import { countElements, readMessages } from '../openai/top-level.ts';

/** `POST /v1/messages`. */
export const readMessagesKeys = (scan: RequestScanner, draft: Draft): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    switch (key) {
      case 'model':
        readModel(scan, draft);
        break;
      case 'stream':
        draft.stream = readBoolean(scan, 'stream') ?? false;
        break;
      case 'max_tokens':
        readOutputCap(scan, draft, key);
        break;
      case 'messages':
        readMessages(scan, draft);
        break;
      case 'system':
        readContent(scan, draft);
        break;
      case 'tools':
        readTools(scan, draft);
        break;
      case 'thinking':
        readThinking(scan, draft);
        break;
      case 'metadata':
        readMetadata(scan, draft);
        break;
      case 'service_tier':
        draft.serviceTier ??= readLabel(scan);
        break;
      case 'speed':
        readSpeed(scan, draft);
        break;
      case 'mcp_servers':
        if (readPresence(scan)) flag(draft, 'hosted_tool');
        break;
      case 'container':
        if (readPresence(scan)) flag(draft, 'hosted_tool');
        break;
      case 'cache_control':
        readCacheControl(scan, draft);
        break;
      default:
        scan.skip();
    }
  }
};

const readMetadata = (scan: RequestScanner, draft: Draft): void => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return;
  }
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() === 'user_id') draft.user = readLabel(scan);
    else scan.skip();
  }
};

/** `{type: "disabled"}` is the only one that does not think; what is no object is for the provider to refuse. */
const readThinking = (scan: RequestScanner, draft: Draft): void => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return;
  }
  draft.asksThinking = true;
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() === 'type') draft.asksThinking = readLabel(scan) !== 'disabled';
    else scan.skip();
  }
};

/** `speed: "fast"` is billed at its own rate, whatever the service tier says. */
const readSpeed = (scan: RequestScanner, draft: Draft): void => {
  if (readLabel(scan) === 'fast') draft.serviceTier = 'fast';
};

/**
 * A tool without a type, or of type custom, is the caller's; so are the ones that Anthropic defines but the caller runs.
 * The others (web_search_*, web_fetch_*, code_execution_*, computer_*, mcp_toolset …) run at Anthropic.
 */
const CLIENT_TOOL = /^(?:|custom|(?:bash|text_editor|memory)_[0-9]{8})$/;

const readTools = (scan: RequestScanner, draft: Draft): void => {
  if (scan.peek() !== 'array') {
    scan.skip();
    return;
  }
  draft.tools += countElements(scan, () => {
    let type = '';
    if (scan.peek() !== 'object') scan.skip();
    else {
      for (let more = scan.openObject(); more; more = scan.anotherMember()) {
        const key = scan.key();
        if (key === 'type') type = readLabel(scan) ?? '';
        else if (key === 'cache_control') readCacheControl(scan, draft);
        else scan.skip();
      }
    }
    if (!CLIENT_TOOL.test(type)) flag(draft, 'hosted_tool');
  });
};
