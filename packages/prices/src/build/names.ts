import type { MatchLogic, ModelInfo } from '@pydantic/genai-prices';
import { VERSION_MARK } from '../model-name.ts';

export interface ModelNames {
  /** Lower case, exact, or ending in `-{version}`. */
  readonly names: readonly string[];
  /** Clauses that say nothing exact and were left out. */
  readonly skipped: readonly string[];
}

/**
 * The source's match clauses as exact names. Its `starts_with` and `contains` would price any name that begins like a
 * known one, also a dearer model's: they become the stem itself and the stem with a documented version suffix.
 */
export const readNames = (model: ModelInfo, provider: string): ModelNames => {
  const names = new Set<string>();
  const skipped: string[] = [];
  const exact = (name: string): unknown => names.add(name.toLowerCase());
  const stem = (text: string): void => {
    const bare = text.toLowerCase().replace(PARTIAL_VERSION, '');
    if (bare === '') return;
    for (const name of provider === 'aws' && bare.startsWith('claude-') ? [bare, `anthropic.${bare}`] : [bare]) {
      exact(name);
      names.add(`${name}-${VERSION_MARK}`);
    }
  };
  const read = (clause: MatchLogic): void => {
    if ('or' in clause) clause.or.forEach(read);
    else if ('and' in clause) clause.and.filter((each) => !isExclusion(each)).forEach(read);
    else if ('equals' in clause) exact(clause.equals);
    else if ('starts_with' in clause) stem(clause.starts_with);
    else if ('ends_with' in clause) stem(clause.ends_with);
    else if ('contains' in clause) stem(clause.contains);
    else if (!readRegex(clause.regex, exact, stem)) skipped.push(clause.regex);
  };
  read(model.match);
  exact(model.id);
  return { names: [...names], skipped };
};

/** `claude-opus-4-2025`, `gpt-5-nano-`, `claude-sonnet-4@`, `gemini-2.0-flash-0`: stems cut within a version. */
const PARTIAL_VERSION = /(?:-20\d\d-?|-0|[-@:.])$/;

/** `^(?!…tts…)` beside a `starts_with`: what it shuts out is no version suffix anyway. */
const isExclusion = (clause: MatchLogic): boolean => 'regex' in clause && clause.regex.startsWith('^(?!');

/** The two shapes that the source uses: a literal, and a literal with a date or a digit at its end. */
const readRegex = (regex: string, exact: (name: string) => unknown, stem: (text: string) => void): boolean => {
  const dated =
    /^\^(.+?)-(?:\\d\{8\}|\\d\{4\}-\\d\{2\}-\\d\{2\})\$$/.exec(regex)?.[1] ?? /^\^(.+?)-\\d$/.exec(regex)?.[1];
  const literal = dated ?? /^\^(.+)\$$/.exec(regex)?.[1];
  if (literal === undefined || /[^\\][[\](){}*+?|^$]|\\[a-zA-Z]/.test(` ${literal}`)) return false;
  const text = literal.replaceAll(/\\(.)/g, '$1');
  if (dated === undefined) exact(text);
  else stem(text);
  return true;
};
