import { type Counts, type CountsResult, type CountPaths, isObject, readCounts } from '../answer/counts.ts';
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
} from '../answer/tally.ts';

/**
 * https://ai.google.dev/api/generate-content#UsageMetadata: the prompt includes what was cached; tool use adds to it, and
 * thoughts add to the candidates. Zero is left out (protobuf), so that only a missing prompt is no usage.
 */
type Stated = 'prompt' | 'cached' | 'toolUse' | 'candidates' | 'thoughts' | 'total';

const PATHS: CountPaths<Stated> = {
  prompt: [['promptTokenCount']],
  cached: [['cachedContentTokenCount']],
  toolUse: [['toolUsePromptTokenCount']],
  candidates: [['candidatesTokenCount']],
  thoughts: [['thoughtsTokenCount']],
  total: [['totalTokenCount']],
};

const figures = (usage: unknown): CountsResult<InclusiveFigure> => {
  const read = readCounts(usage, PATHS);
  if (!read.ok || !isObject(usage)) return { ok: false, fault: read.ok ? 'the usage is not an object' : read.fault };
  const stated = read.counts;
  const audioCached = audioIn(usage.cacheTokensDetails);
  const audioPrompt = audioIn(usage.promptTokensDetails) + audioIn(usage.toolUsePromptTokensDetails);
  const counts: Counts<InclusiveFigure> = {
    ...(stated.prompt === undefined ? {} : { prompt: stated.prompt + (stated.toolUse ?? 0) }),
    cached: stated.cached ?? 0,
    audioInput: Math.max(0, audioPrompt - audioCached),
    completion: (stated.candidates ?? 0) + (stated.thoughts ?? 0),
    reasoning: stated.thoughts ?? 0,
    audioOutput: audioIn(usage.candidatesTokensDetails),
    ...(stated.total === undefined ? {} : { total: stated.total }),
  };
  return { ok: true, counts };
};

/** Tokens of the AUDIO modality in a list of `{modality, tokenCount}`. */
const audioIn = (details: unknown): number => {
  let tokens = 0;
  for (const entry of Array.isArray(details) ? details : []) {
    const read = isObject(entry) && entry.modality === 'AUDIO' ? readCounts(entry, { tokens: [['tokenCount']] }) : null;
    if (read?.ok === true) tokens += read.counts.tokens ?? 0;
  }
  return tokens;
};

export const GENERATE_USAGE: UsageRules = {
  figures,
  usage: (counts) => inclusiveUsage(counts, false),
  discounts: ['cached'],
};

/** A whole answer, or one chunk of a stream; each chunk states the usage so far, the one that ends a candidate the last. */
export const readGenerateAnswer = (scan: AnswerScanner, tally: Tally): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    switch (scan.key()) {
      case 'candidates':
        eachObject(scan, () => {
          readCandidate(scan, tally);
        });
        break;
      case 'usageMetadata':
        takeUsage(scan, tally);
        break;
      case 'modelVersion':
        takeModel(scan, tally);
        break;
      case 'promptFeedback':
        readFeedback(scan, tally);
        break;
      case 'error':
        if (takePresence(scan)) tally.errored = true;
        break;
      default:
        scan.skip();
    }
  }
  if (!tally.finished) return;
  tally.complete = true;
  if (tally.figures !== null) tally.isFinal = true;
};

const readCandidate = (scan: AnswerScanner, tally: Tally): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    switch (scan.key()) {
      case 'content':
        readContent(scan, tally);
        break;
      case 'finishReason':
        if (takePresence(scan)) tally.finished = true;
        break;
      case 'groundingMetadata':
        readGrounding(scan, tally);
        break;
      default:
        scan.skip();
    }
  }
};

const readContent = (scan: AnswerScanner, tally: Tally): void => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return;
  }
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() !== 'parts') scan.skip();
    else
      eachObject(scan, () => {
        readPart(scan, tally);
      });
  }
};

/** A signature is not billed; everything else in a part was generated. */
const readPart = (scan: AnswerScanner, tally: Tally): void => {
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() === 'thoughtSignature') scan.skip();
    else takeContent(scan, tally);
  }
};

/** A prompt that was blocked has no candidate to end. */
const readFeedback = (scan: AnswerScanner, tally: Tally): void => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return;
  }
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() === 'blockReason') tally.finished = takePresence(scan) || tally.finished;
    else scan.skip();
  }
};

/** Grounded calls are billed per search query (Gemini 3) or once (before): the queries are an upper bound for both. */
const readGrounding = (scan: AnswerScanner, tally: Tally): void => {
  if (scan.peek() !== 'object') {
    scan.skip();
    return;
  }
  for (let more = scan.openObject(); more; more = scan.anotherMember()) {
    if (scan.key() !== 'webSearchQueries' || scan.peek() !== 'array') scan.skip();
    else {
      let queries = 0;
      for (let next = scan.openArray(); next; next = scan.anotherElement()) {
        queries += 1;
        scan.skip();
      }
      tally.searches = Math.max(tally.searches, queries);
    }
  }
};
