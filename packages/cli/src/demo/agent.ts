/** One agent that has lost its way: its memory grows, nothing in it ever stops, and only a gate's no ends it. */
import { setTimeout as pause } from 'node:timers/promises';

export interface AgentOptions {
  readonly url: string;
  readonly model: string;
  readonly number: number;
  /** By which the provider's log tells one gate's calls from the other's. */
  readonly label: string;
  /** No call is begun after it. */
  readonly stop: AbortSignal;
  readonly onAnswer: (requestId: string | null) => void;
  readonly onRefusal: (refusal: AgentRefusal) => void;
}

export interface AgentRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** What one answer may hold, and what the mock provider makes it hold. */
const MAX_TOKENS = 750;
const ANSWER_TOKENS = 700;
/** As long as a model takes for such an answer, sped up: 700 … 1,600 ms. */
const ANSWER_MS = 700;
const ANSWER_SPREAD_MS = 901;

export const runAgent = async (options: AgentOptions): Promise<void> => {
  const { url, model, number, label, stop, onAnswer, onRefusal } = options;
  const memory = [{ role: 'user', content: `You are agent ${number} of ${label}. Plan a bridge. You are never done.` }];
  for (let step = 1; !stop.aborted; step += 1) {
    const response = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer mock-key-worth-nothing',
        'x-mock-label': label,
        'x-mock-output-tokens': String(ANSWER_TOKENS),
        'x-mock-delay': String(delayOf(number, step)),
      },
      body: JSON.stringify({ model, max_tokens: MAX_TOKENS, messages: memory }),
    });
    const answer: unknown = await response.json();
    if (response.ok) {
      onAnswer(response.headers.get('x-tollgate-request-id'));
      memory.push({ role: 'assistant', content: contentOf(answer) }, { role: 'user', content: 'What is next?' });
      continue;
    }
    onRefusal(refusalOf(response.status, answer));
    if (response.headers.get('x-should-retry') === 'false') return;
    const seconds = Number(response.headers.get('retry-after') ?? 1);
    await pause(seconds * 1000, undefined, { signal: stop }).catch(() => undefined);
  }
};

/** Different for each step of each agent, and the same in every race. */
const delayOf = (number: number, step: number): number => ANSWER_MS + ((number * 373 + step * 577) % ANSWER_SPREAD_MS);

const contentOf = (answer: unknown): string => {
  const choices = at(answer, 'choices');
  return textAt(at(Array.isArray(choices) ? choices[0] : null, 'message'), 'content');
};

const refusalOf = (status: number, answer: unknown): AgentRefusal => {
  const error = at(answer, 'error');
  return { status, code: textAt(error, 'code'), message: textAt(error, 'message') };
};

const textAt = (value: unknown, name: string): string => {
  const text = at(value, name);
  return typeof text === 'string' ? text : '';
};

const at = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
