/** What `tollgate.dev/inject` may say. Any other word is neither a yes nor a no, and whoever wrote it takes it for one. */
import { INJECT } from './names.ts';

/** Said as annotation and as label; a "false" in either wins. Null: neither says anything that counts. */
export const wishIn = (...said: readonly (string | undefined)[]): boolean | null => {
  if (said.includes('false')) return false;
  return said.includes('true') ? true : null;
};

/** The first that does not count; null where each counts, or is absent. */
export const oddInjectValue = (...said: readonly (string | undefined)[]): string | null =>
  said.find((value) => value !== undefined && value !== 'true' && value !== 'false') ?? null;

export const injectFault = (odd: string): string => `${INJECT} must be "true" or "false", not "${cut(odd)}"`;

const cut = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
