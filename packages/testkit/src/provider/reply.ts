/** Composes what the model says: a pure function of the seed and the request, but for what the cache remembers. */
import type { Ask, AskedTool } from './ask.ts';
import type { Behaviour } from './behaviour.ts';
import { fingerprint, makeChance } from './chance.ts';
import type { Chance } from './chance.ts';
import { exampleValue } from './example-value.ts';
import type { MockUsage } from './mock-usage.ts';
import { cutIntoPieces, makePieces } from './pieces.ts';
import type { PromptCache } from './prompt-cache.ts';

export interface Choice {
  /** One piece is one token. Empty when a tool is called. */
  readonly pieces: readonly string[];
  readonly toolCall: { readonly id: string; readonly name: string; readonly argumentPieces: readonly string[] } | null;
  readonly finish: 'stop' | 'length' | 'tool_call';
}

export interface Reply {
  /** 64 hexadecimal digits: the same for the same seed and request. */
  readonly id: string;
  /** Unix seconds: fixed, so that equal requests get equal bytes. */
  readonly created: number;
  readonly choices: readonly Choice[];
  /** Visible thoughts, one piece a token. */
  readonly thoughts: readonly string[];
  readonly usage: MockUsage;
}

export interface ReplyDeps {
  readonly seed: number;
  readonly cache: PromptCache;
}

const CREATED = 1_767_225_600; // 2026-01-01T00:00:00Z
/** Answers run to 32 … 256 tokens, unless a cap or the test says otherwise. */
const MIN_ANSWER = 32;
const ANSWER_SPREAD = 225;
/** Providers report reasoning in steps of 64. */
const REASONING_STEP = 64;

export const composeReply = (ask: Ask, behaviour: Behaviour, { seed, cache }: ReplyDeps): Reply => {
  // Neither the cap nor `stream` goes in: a stream says what its twin says, and a shorter cap only cuts it short.
  const id = fingerprint(seed, ask.model, ask.segments, ask.choices);
  const chance = makeChance(id);
  const cap = ask.outputCap ?? Number.MAX_SAFE_INTEGER;
  const wanted = ask.reasoning === 'none' ? 0 : REASONING_STEP * (1 + chance.next(4));
  const reasoning = Math.min(behaviour.usageReasoning ?? wanted, cap);
  const choices = Array.from({ length: ask.choices }, (_, index) =>
    composeChoice(ask, behaviour, chance, id, index, cap - reasoning),
  );
  return {
    id,
    created: CREATED,
    choices,
    thoughts: ask.reasoning === 'visible' ? makePieces(chance, reasoning) : [],
    usage: countUsage(ask, behaviour, cache, choices, reasoning),
  };
};

const composeChoice = (
  ask: Ask,
  behaviour: Behaviour,
  chance: Chance,
  id: string,
  index: number,
  room: number,
): Choice => {
  const tool = toolToCall(ask);
  const full =
    tool === null ? textPieces(ask, behaviour, chance) : cutIntoPieces(JSON.stringify(exampleValue(tool.parameters)));
  const pieces = full.slice(0, room);
  const finish = pieces.length < full.length ? 'length' : tool === null ? 'stop' : 'tool_call';
  if (tool === null)
    return {
      pieces: behaviour.bodyBytes === undefined ? pieces : pad(pieces, behaviour.bodyBytes),
      toolCall: null,
      finish,
    };
  return {
    pieces: [],
    toolCall: { id: fingerprint(id, index).slice(0, 24), name: tool.name, argumentPieces: pieces },
    finish,
  };
};

/** A tool is called when it must be, or when the newest word is the user's and speaks of the weather or the tool's name. */
const toolToCall = (ask: Ask): AskedTool | null => {
  const { mode, name } = ask.toolChoice;
  if (mode === 'none' || ask.toolResult !== null) return null;
  const named = ask.tools.find((tool) => tool.name === name);
  if (mode === 'required') return named ?? ask.tools[0] ?? null;
  const text = ask.lastUserText.toLowerCase();
  const mentioned = ask.tools.find((tool) => tool.name !== '' && text.includes(tool.name.toLowerCase()));
  return mentioned ?? (text.includes('weather') ? (ask.tools[0] ?? null) : null);
};

const textPieces = (ask: Ask, behaviour: Behaviour, chance: Chance): string[] => {
  if (behaviour.text !== undefined) return cutIntoPieces(behaviour.text);
  if (ask.jsonSchema !== undefined) return cutIntoPieces(JSON.stringify(exampleValue(ask.jsonSchema)));
  if (ask.toolResult !== null && behaviour.outputTokens === undefined) {
    return cutIntoPieces(`The tool said: ${ask.toolResult.slice(0, 200)}`);
  }
  return makePieces(chance, behaviour.outputTokens ?? MIN_ANSWER + chance.next(ANSWER_SPREAD));
};

/** Widens the text to about `bytes` without adding a token: for bodies of a wanted size. */
const pad = (pieces: readonly string[], bytes: number): string[] => {
  const each = Math.ceil(bytes / Math.max(1, pieces.length));
  return pieces.map((piece) => piece + 'abcdefghijklmnopqrstuvwxyz 料金'.repeat(Math.ceil(each / 33)).slice(0, each));
};

const countUsage = (
  ask: Ask,
  behaviour: Behaviour,
  cache: PromptCache,
  choices: readonly Choice[],
  reasoning: number,
): MockUsage => {
  const total = ask.segments.reduce((sum, segment) => sum + segment.tokens, 0);
  const reading = readCache(ask, cache);
  const read = Math.min(reading.read, total);
  const spoken = choices.reduce(
    (sum, choice) => sum + choice.pieces.length + (choice.toolCall?.argumentPieces.length ?? 0),
    0,
  );
  const output = Math.round((spoken * ask.generated) / Math.max(1, ask.choices));
  return {
    input: behaviour.usageInput ?? total - read - reading.write5m - reading.write1h,
    cachedInput: behaviour.usageCached ?? read,
    cacheWrite5m: behaviour.usageCacheWrite5m ?? reading.write5m,
    cacheWrite1h: behaviour.usageCacheWrite1h ?? reading.write1h,
    audioInput: ask.audioInputTokens,
    output: behaviour.usageOutput ?? (ask.audioOutput ? 0 : output),
    reasoning: reasoning * ask.generated,
    audioOutput: ask.audioOutput ? output : 0,
  };
};

const readCache = (ask: Ask, cache: PromptCache): { read: number; write5m: number; write1h: number } => {
  if (ask.caching === 'breakpoints') return cache.readBreakpoints(ask.model, ask.segments);
  const read =
    ask.caching === 'prefix' ? cache.readPrefix(ask.model, ask.segments.map((segment) => segment.text).join('\n')) : 0;
  return { read, write5m: 0, write1h: 0 };
};
