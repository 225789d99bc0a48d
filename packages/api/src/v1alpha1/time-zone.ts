/** An IANA time zone by its name: a zone that no clock here knows would silently shift a budget's windows. */
import { z } from 'zod';
import { withPattern, withRule } from './kubernetes-schema.ts';

const NAME = /^[A-Z][A-Za-z0-9_+-]{0,30}(\/[A-Z][A-Za-z0-9_+-]{0,30}){0,2}$/;
const MESSAGE = 'must be an IANA time zone, such as Europe/Berlin or Etc/UTC';

export const timeZone = () =>
  withRule(withPattern(z.string().min(1).max(64), { pattern: NAME, message: MESSAGE }), {
    // The API server knows the zones too: an unknown one fails the evaluation, which refuses the object.
    cel: "self != 'Local' && timestamp('2026-01-01T00:00:00Z').getFullYear(self) >= 2025",
    message: MESSAGE,
    reads: 'value',
    holds: isTimeZone,
  });

const isTimeZone = (name: string): boolean => {
  const known = resolvedName(name);
  // Intl forgives the case of letters, the API server does not; an alias resolves to another name and is fine.
  return known !== null && (known === name || known.toLowerCase() !== name.toLowerCase());
};

const resolvedName = (name: string): string | null => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
};
