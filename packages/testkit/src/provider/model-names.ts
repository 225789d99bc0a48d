/** Short names that providers answer with a dated one, so that what was asked and what answered differ, as in life. */
const DATED: Readonly<Record<string, string>> = {
  'gpt-4o': 'gpt-4o-2024-08-06',
  'gpt-4o-mini': 'gpt-4o-mini-2024-07-18',
  'gpt-4.1': 'gpt-4.1-2025-04-14',
  'gpt-4.1-mini': 'gpt-4.1-mini-2025-04-14',
  'gpt-5': 'gpt-5-2025-08-07',
  'gpt-5-mini': 'gpt-5-mini-2025-08-07',
  o3: 'o3-2025-04-16',
  'o4-mini': 'o4-mini-2025-04-16',
  'claude-sonnet-4-5': 'claude-sonnet-4-5-20250929',
  'claude-haiku-4-5': 'claude-haiku-4-5-20251001',
};

export const answeredName = (asked: string): string =>
  (Object.hasOwn(DATED, asked) ? DATED[asked] : undefined) ?? asked;

/** Models that think before they speak, whether or not they are asked to. */
export const reasonsByItself = (model: string): boolean =>
  (/^o[0-9]/.test(model) || /^gpt-[5-9](?!.*chat)/.test(model) || /^gemini-(2\.5|[3-9])/.test(model)) &&
  !model.includes('embedding');

/** What the model lists show. */
export const LISTED = {
  openai: [
    'gpt-4o',
    'gpt-4o-mini',
    'gpt-4.1',
    'gpt-4.1-mini',
    'gpt-5',
    'gpt-5-mini',
    'o3',
    'o4-mini',
    'text-embedding-3-small',
  ],
  anthropic: ['claude-sonnet-5', 'claude-haiku-4-5'],
  gemini: ['gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-2.0-flash'],
} as const;
