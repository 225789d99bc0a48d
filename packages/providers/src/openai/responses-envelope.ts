import type { RequestScanner } from '../envelope/content.ts';
import { type Draft, flag } from '../envelope/draft.ts';
import { readBoolean, readOutputCap, readPresence } from '../envelope/scalars.ts';
import { OPENAI_CLIENT_TOOLS, readMessages, readSharedKey, readTools } from './top-level.ts';

/** `POST /v1/responses`: what it only refers to (a former response, a conversation, a stored prompt) has no bound here. */
export const readResponsesKeys = (scan: RequestScanner, draft: Draft): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (readSharedKey(scan, draft, key)) continue;
    switch (key) {
      case 'input':
        readMessages(scan, draft);
        break;
      case 'max_output_tokens':
        readOutputCap(scan, draft, key);
        break;
      case 'tools':
        readTools(scan, draft, OPENAI_CLIENT_TOOLS);
        break;
      case 'previous_response_id':
        if (readPresence(scan)) flag(draft, 'previous_response');
        break;
      case 'conversation':
        if (readPresence(scan)) flag(draft, 'conversation');
        break;
      case 'prompt':
        if (readPresence(scan)) flag(draft, 'stored_prompt');
        break;
      case 'background':
        if (readBoolean(scan, 'background') === true) flag(draft, 'background');
        break;
      default:
        scan.skip();
    }
  }
};
