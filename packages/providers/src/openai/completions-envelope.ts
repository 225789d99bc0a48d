import type { RequestScanner } from '../envelope/content.ts';
import { type Draft, flag } from '../envelope/draft.ts';
import { readOutputCap } from '../envelope/scalars.ts';
import { readChoices, readSharedKey, readStreamOptions } from './top-level.ts';

/** `POST /v1/completions`: each prompt of a list is answered `best_of` times, and all of it is billed. */
export const readCompletionsKeys = (scan: RequestScanner, draft: Draft): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (readSharedKey(scan, draft, key)) continue;
    if (key === 'prompt') draft.messages = readTextInputs(scan, draft);
    else if (key === 'max_tokens') readOutputCap(scan, draft, key);
    else if (key === 'n' || key === 'best_of') readChoices(scan, draft, key);
    else if (key === 'stream_options') readStreamOptions(scan, draft);
    else scan.skip();
  }
  draft.choices *= Math.max(1, draft.messages);
};

/** `POST /v1/embeddings`: no output is billed. */
export const readEmbeddingsKeys = (scan: RequestScanner, draft: Draft): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    const key = scan.key();
    if (readSharedKey(scan, draft, key)) continue;
    if (key === 'input') draft.messages = readTextInputs(scan, draft);
    else scan.skip();
  }
};

/**
 * How many inputs: a text, a list of texts, one list of token numbers, or a list of such lists. A token number takes at
 * least one digit, so that bytes bound those as well. Objects (other hosts' pictures) stand for more than their bytes.
 */
const readTextInputs = (scan: RequestScanner, draft: Draft): number => {
  if (scan.peek() !== 'array') {
    scan.skip();
    return 1;
  }
  let inputs = 0;
  let hasNumbers = false;
  for (let more = scan.openArray(); more; more = scan.anotherElement()) {
    const kind = scan.peek();
    if (kind === 'number') hasNumbers = true;
    else inputs += 1;
    if (kind === 'object') flag(draft, 'unknown_part');
    scan.skip();
  }
  return inputs + (hasNumbers ? 1 : 0);
};
