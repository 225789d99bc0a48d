/** What zod found wrong, in words for the people who write manifests. */
import type { z } from 'zod';

/** A fault whose place is still a list of steps, so that a reader of text can find the line. */
export interface Problem {
  readonly steps: readonly PropertyKey[];
  readonly message: string;
}

/** Unknown fields become one problem a field, each at its own place; of a key of a map is said what is wrong with it. */
export const issueProblems = (issue: z.core.$ZodIssue): readonly Problem[] => {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ steps: [...issue.path, key], message: 'unknown field' }));
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ steps: issue.path, message }));
    default:
      return [{ steps: issue.path, message: issue.message }];
  }
};

/** Messages for what the schemas themselves say nothing about. */
export const issueMessage = (issue: z.core.$ZodRawIssue): string | undefined => {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required';
      return `must be ${article(issue.expected)}, not ${shown(issue.input)}`;
    case 'invalid_value':
      if (issue.input === undefined) return 'is required';
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}, not ${shown(issue.input)}`;
    case 'too_big':
      return `must ${verbOf(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`;
    case 'too_small':
      return `must ${verbOf(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`;
    default:
      return undefined;
  }
};

const UNITS: Readonly<Record<string, readonly [one: string, more: string]>> = {
  string: [' character', ' characters'],
  array: [' entry', ' entries'],
};
const ARTICLES: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a map of fields',
  record: 'a map',
  number: 'a whole number',
  boolean: 'true or false',
};

const verbOf = (origin: string): string => (origin in UNITS ? 'have' : 'be');

const unitOf = (origin: string, bound: number | bigint): string => UNITS[origin]?.[bound === 1 ? 0 : 1] ?? '';

const article = (expected: string): string => ARTICLES[expected] ?? `a ${expected}`;

const SHOWN_CHARACTERS = 60;

const shown = (input: unknown): string => {
  switch (typeof input) {
    case 'string':
      return JSON.stringify(input.slice(0, SHOWN_CHARACTERS));
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(input);
    default:
      if (input === null) return 'null';
      return Array.isArray(input) ? 'a list' : 'a map';
  }
};
