/** What the callers ask: mixed formats, streamed or not, some of which hang up. Each call names itself, to be found again. */
import type { Dice } from '../../testing/dice.ts';

export interface DrawnCall {
  /** As end user in the ledger's row, and as label in the provider's log. */
  readonly label: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The caller hangs up once so many bytes have come; null = it stays. */
  readonly hangsUpAfter: number | null;
  /** The same in events of a stream. */
  readonly hangsUpAfterEvents?: number;
  readonly manner?: 'plain' | 'slow' | 'half-closed';
}

type Json = Readonly<Record<string, unknown>>;

export const drawCall = (dice: Dice, label: string, prompt: string, key: string): DrawnCall => {
  const isStream = dice.percent(55);
  const content = `${prompt} ${'what does it cost? '.repeat(1 + dice.roll(12))}${label}`;
  const { path, body } = dice.pick(DRAFTS)(dice, { label, content, isStream });
  const hangsUp = isStream && dice.percent(15);
  return {
    label,
    path,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      'x-mock-label': label,
      'x-mock-delay': String(5 + dice.roll(60)),
      'x-mock-output-tokens': String(5 + dice.roll(hangsUp ? 300 : 60)),
      ...(isStream ? { 'x-mock-chunk-delay': String(dice.roll(12)) } : {}),
      ...mishap(dice),
    },
    body: JSON.stringify(body),
    hangsUpAfter: hangsUp ? 1 + dice.roll(900) : null,
  };
};

/** What providers do on an ordinary day. */
const mishap = (dice: Dice): Readonly<Record<string, string>> => {
  if (!dice.percent(6)) return {};
  return dice.pick<Readonly<Record<string, string>>>([
    { 'x-mock-status': '500' },
    { 'x-mock-status': '429', 'x-mock-retry-after': '1' },
    { 'x-mock-status': '400' },
    { 'x-mock-usage': 'missing' },
    { 'x-mock-usage': 'twice' },
    { 'x-mock-abort-after-bytes': '300' },
    { 'x-mock-error-after-chunks': '3' },
  ]);
};

interface Wish {
  readonly label: string;
  readonly content: string;
  readonly isStream: boolean;
}
type Draft = (dice: Dice, wish: Wish) => { readonly path: string; readonly body: Json };

const stream = (isStream: boolean): Json => (isStream ? { stream: true } : {});

const chat: Draft = (dice, { label, content, isStream }) => ({
  path: '/openai/v1/chat/completions',
  body: {
    model: dice.pick(['gpt-4o', 'gpt-4o-mini']),
    messages: [{ role: 'user', content }],
    max_completion_tokens: 100 + dice.roll(400),
    user: label,
    ...stream(isStream),
  },
});

const response: Draft = (dice, { label, content, isStream }) => ({
  path: '/openai/v1/responses',
  body: {
    model: 'gpt-4o-mini',
    input: content,
    max_output_tokens: 100 + dice.roll(400),
    user: label,
    ...stream(isStream),
  },
});

const message: Draft = (dice, { label, content, isStream }) => ({
  path: '/anthropic/v1/messages',
  body: {
    model: 'claude-haiku-4-5',
    max_tokens: 100 + dice.roll(400),
    messages: [{ role: 'user', content }],
    metadata: { user_id: label },
    ...stream(isStream),
  },
});

const DRAFTS: readonly [Draft, ...Draft[]] = [chat, chat, response, message];
