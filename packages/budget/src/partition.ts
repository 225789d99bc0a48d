/** Which part of a limit a call draws on: its own name in the counter's key. */
import type { PartitionBy, Subject } from '@tollgate/api';

/** Stands for what a subject or call does not say; brackets are escaped in values, so nobody can claim it. */
const UNKNOWN = '(none)';
const MAX_USER_CHARACTERS = 128;

/**
 * `''` for the whole budget. Workloads and pods carry their namespace, since a platform's budget spans several. The user is
 * what the call itself claims: escaped to ASCII without spaces, brackets or control characters, and cut.
 *
 * @example
 * partitionOf('Workload', subject, null) // 'team-a/chat'
 */
export const partitionOf = (partitionBy: PartitionBy, subject: Subject, user: string | null): string => {
  switch (partitionBy) {
    case 'Budget':
      return '';
    case 'Namespace':
      return subject.namespace;
    case 'Workload':
      return `${subject.namespace}/${subject.workload}`;
    case 'Pod':
      return `${subject.namespace}/${subject.pod ?? UNKNOWN}`;
    case 'User':
      return user === null || user === '' ? UNKNOWN : escapeUser(user);
    default:
      return partitionBy satisfies never;
  }
};

/** Users who differ only after the cut share a counter, which is the stricter reading. */
const escapeUser = (user: string): string =>
  encodeURIComponent(user.slice(0, MAX_USER_CHARACTERS).toWellFormed())
    .replace(/[()!'*~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%40/g, '@')
    .slice(0, MAX_USER_CHARACTERS * 2);
