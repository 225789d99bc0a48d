import { type CountPaths, readCounts } from '../answer/counts.ts';
import { type InclusiveFigure, inclusiveUsage } from '../answer/inclusive-usage.ts';
import {
  type AnswerScanner,
  type Tally,
  type UsageRules,
  eachObject,
  takeContent,
  takeModel,
  takePresence,
  takeUsage,
  takeWord,
} from '../answer/tally.ts';

/**
 * Chat, completions and embeddings state usage alike: https://platform.openai.com/docs/api-reference/chat/object.
 * DeepSeek and Moonshot put the cached tokens beside, not inside, the details.
 */
const PATHS: CountPaths<InclusiveFigure> = {
  prompt: [['prompt_tokens']],
  cached: [['prompt_tokens_details', 'cached_tokens'], ['prompt_cache_hit_tokens'], ['cached_tokens']],
  written: [['prompt_tokens_details', 'cache_write_tokens']],
  audioInput: [['prompt_tokens_details', 'audio_tokens']],
  completion: [['completion_tokens']],
  reasoning: [['completion_tokens_details', 'reasoning_tokens']],
  audioOutput: [['completion_tokens_details', 'audio_tokens']],
  total: [['total_tokens']],
};

export const CHAT_USAGE: UsageRules = {
  figures: (usage) => readCounts(usage, PATHS),
  usage: (figures) => inclusiveUsage(figures, true),
  discounts: ['cached'],
};

export const EMBEDDINGS_USAGE: UsageRules = { ...CHAT_USAGE, usage: (figures) => inclusiveUsage(figures, false) };

/**
 * A whole answer, or one chunk of a stream. Usage is the last word once it comes with no choices (OpenAI's own final chunk)
 * or after a choice has ended; hosts that count along state it before that, too.
 */
export const readChatAnswer = (scan: AnswerScanner, tally: Tally): void => {
  let hasUsage = false;
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    switch (scan.key()) {
      case 'model':
        takeModel(scan, tally);
        break;
      case 'service_tier':
        tally.serviceTier = takeWord(scan) ?? tally.serviceTier;
        break;
      case 'choices':
        tally.isBare = eachObject(scan, () => {
          readChoice(scan, tally);
        });
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
  if (hasUsage && (tally.isBare || tally.finished)) tally.isFinal = true;
};

const readChoice = (scan: AnswerScanner, tally: Tally): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    switch (scan.key()) {
      case 'delta':
      case 'message':
      case 'text':
        takeContent(scan, tally);
        break;
      case 'finish_reason':
        if (takePresence(scan)) tally.finished = true;
        break;
      default:
        scan.skip();
    }
  }
};
