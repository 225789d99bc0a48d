import { type RequestScanner, readCacheControl } from '../envelope/content.ts';
import { type Draft, flag } from '../envelope/draft.ts';
import { readOutputCap, readPresence } from '../envelope/scalars.ts';
import {
  OPENAI_CLIENT_TOOLS,
  countElements,
  readChoices,
  readMessages,
  readSharedKey,
  readStreamOptions,
  readTools,
} from './top-level.ts';

/** `POST /v1/chat/completions`, of OpenAI, Azure and every host that speaks it. */
export const readChatKeys = (scan: RequestScanner, draft: Draft): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (readSharedKey(scan, draft, key)) continue;
    switch (key) {
      case 'messages':
        readMessages(scan, draft);
        break;
      case 'max_tokens':
      case 'max_completion_tokens':
        readOutputCap(scan, draft, key);
        break;
      case 'n':
        readChoices(scan, draft, 'n');
        break;
      case 'stream_options':
        readStreamOptions(scan, draft);
        break;
      case 'tools':
        readTools(scan, draft, OPENAI_CLIENT_TOOLS);
        break;
      case 'functions':
        if (scan.peek() === 'array')
          draft.tools += countElements(scan, () => {
            scan.skip();
          });
        else scan.skip();
        break;
      case 'web_search_options':
        // An empty object turns the search on.
        if (scan.peek() === 'object') flag(draft, 'hosted_tool');
        scan.skip();
        break;
      case 'prediction':
        if (readPresence(scan)) flag(draft, 'prediction');
        break;
      case 'cache_control':
        readCacheControl(scan, draft);
        break;
      default:
        scan.skip();
    }
  }
};
