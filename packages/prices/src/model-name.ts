/**
 * How a model's name is compared. Exact, but for: the case of ASCII letters; a provider's own resource prefix; and the
 * version suffix that a provider documents (`-20250929`, `-2025-08-07`, `-latest`, …), which only names listed with
 * `{version}` accept. Nothing else matches: a name that merely begins like a priced one may be a dearer model.
 */
export const VERSION_MARK = '{version}';

/** No provider's id is longer; what is longer is not looked at. */
const LONGEST_NAME = 256;

/** Null for a name that no provider uses: empty, overlong, or beyond printable ASCII (a homoglyph never matches). */
export const normalName = (provider: string, name: string): string | null => {
  if (name.length === 0 || name.length > LONGEST_NAME || !/^[!-~]+$/.test(name)) return null;
  const lower = name.toLowerCase();
  return provider === 'google' ? lower.replace(/^(?:publishers\/(?:google|anthropic)\/)?models\//, '') : lower;
};

/** The keys that a normal name may be listed under, the most exact first. */
export const nameKeys = (provider: string, name: string): readonly string[] => {
  const forms = provider === 'aws' ? [name, name.replace(AWS_REGION, '')] : [name];
  if (name.startsWith('ft:')) forms.push(fineTuned(name));
  return [
    ...new Set(forms.flatMap((form) => [form, ...stems(provider, form).map((stem) => `${stem}-${VERSION_MARK}`)])),
  ];
};

/** The name itself (a version is optional), and what is left of it as each part of a version is taken off its end. */
const stems = (provider: string, name: string): readonly string[] => {
  const suffix = VERSION_PARTS[provider] ?? DATE;
  const left = [name];
  for (let part = 0; part < suffix.parts; part += 1) left.push((left.at(-1) ?? name).replace(suffix.pattern, ''));
  return left;
};

/** `ft:BASE:organisation:name:id` is billed as `ft:BASE` (OpenAI, "Fine-tuning"). */
const fineTuned = (name: string): string => name.split(':', 2).join(':');

interface VersionParts {
  /** One part, anchored at the end and of bounded length: a linear scan. */
  readonly pattern: RegExp;
  /** How many of them a name may end in. */
  readonly parts: number;
}

/** Anthropic `-20250929`, Vertex `@20250929`, OpenAI `-2025-08-07`, and the moving names. */
const DATE: VersionParts = { pattern: /(?:[-@]20\d{6}|-20\d\d-[01]\d-[0-3]\d|[-@]latest|@default)$/, parts: 1 };

const VERSION_PARTS: Readonly<Record<string, VersionParts>> = {
  // `-001`, `-preview-05-06`, `-preview-09-2025`, `-exp-0827` (Gemini API, "Model version name patterns").
  google: { pattern: /(?:[-@]20\d{6}|-latest|@default|-\d{3,4}|-\d\d-(?:20)?\d\d|-preview|-exp)$/, parts: 2 },
  // `-20250929-v1:0`, `-v1:0`, `-v1`, `:0` (Bedrock, "Supported foundation models").
  aws: { pattern: /(?::\d|-v\d|-20\d{6})$/, parts: 3 },
};

/** Cross-Region inference profiles; `global.` has its own prices and stays. */
const AWS_REGION = /^(?:us|eu|apac|us-gov|au|jp|ca|in)\./;

/** What a model is called before its numbers begin: `gpt`, `claude`, `o`, `gemini`. */
export const familyOf = (provider: string, name: string): string | null => {
  const short = name.slice(name.lastIndexOf('/') + 1).replace(/^ft:/, '');
  const bare = provider === 'aws' ? short.replace(/^(?:[a-z][a-z-]*\.)+/, '') : short;
  return /^[a-z]+/.exec(bare)?.[0] ?? null;
};
