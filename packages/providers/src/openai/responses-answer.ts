import { type CountPaths, readCounts } from '../answer/counts.ts';
import { type InclusiveFigure, inclusiveUsage } from '../answer/inclusive-usage.ts';
import {
  type AnswerScanner,
  type Tally,
  type UsageRules,
  eachObject,
  isStructure,
  takeContent,
  takeModel,
  takePresence,
  takeUsage,
  takeWord,
} from '../answer/tally.ts';

/** https://platform.openai.com/docs/api-reference/responses/object. Searches are billed per call and stand in `output`. */
const PATHS: CountPaths<InclusiveFigure> = {
  prompt: [['input_tokens']],
  cached: [['input_tokens_details', 'cached_tokens']],
  written: [['input_tokens_details', 'cache_write_tokens']],
  audioInput: [['input_tokens_details', 'audio_tokens']],
  completion: [['output_tokens']],
  reasoning: [['output_tokens_details', 'reasoning_tokens']],
  audioOutput: [['output_tokens_details', 'audio_tokens']],
  total: [['total_tokens']],
};

export const RESPONSES_USAGE: UsageRules = {
  figures: (usage) => readCounts(usage, PATHS),
  usage: (figures) => inclusiveUsage(figures, true),
  discounts: ['cached'],
};

/** A response object as a whole, or a stream event, which carries one in `response` at its beginning and at its end. */
export const readResponsesAnswer = (scan: AnswerScanner, tally: Tally): void => {
  readResponseObject(scan, tally, false);
};

/** Still at work: what it says about usage is not its last word. */
const UNDER_WAY: ReadonlySet<string | null> = new Set(['queued', 'in_progress']);

const readResponseObject = (scan: AnswerScanner, tally: Tally, isInEvent: boolean): void => {
  let hasUsage = false;
  let status: string | null = null;
  let searches = 0;
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    switch (scan.key()) {
      case 'type':
        if (takeWord(scan) === 'error') tally.errored = true;
        break;
      case 'response':
        if (scan.peek() === 'object') readResponseObject(scan, tally, true);
        else scan.skip();
        break;
      case 'delta':
        takeContent(scan, tally);
        break;
      case 'model':
        takeModel(scan, tally);
        break;
      case 'service_tier':
        tally.serviceTier = takeWord(scan) ?? tally.serviceTier;
        break;
      case 'status':
        status = takeWord(scan);
        break;
      case 'output':
        searches += readOutput(scan, tally, isInEvent);
        break;
      case 'usage':
        hasUsage = takeUsage(scan, tally);
        break;
      case 'error':
        if (takePresence(scan)) tally.errored = true;
        break;
      default:
        scan.skip();
    }
  }
  const isOver = status !== null && !UNDER_WAY.has(status);
  if (isInEvent && isOver) tally.complete = true;
  if (!hasUsage || UNDER_WAY.has(status)) return;
  tally.isFinal = true;
  tally.searches = Math.max(tally.searches, searches);
};

/** The text of a stream was counted as it came; its closing event repeats it. */
const readOutput = (scan: AnswerScanner, tally: Tally, isRepeated: boolean): number => {
  let searches = 0;
  eachObject(scan, () => {
    for (let more = scan.openObject(); more; more = scan.anotherMember()) {
      const key = scan.key();
      if (key === 'type') searches += takeWord(scan) === 'web_search_call' ? 1 : 0;
      else if (isRepeated || isStructure(key)) scan.skip();
      else takeContent(scan, tally);
    }
  });
  return searches;
};
