import type { Subject } from '@tollgate/api';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { partitionOf } from './partition.ts';

const SUBJECT: Subject = { namespace: 'team-a', workload: 'chat', pod: 'chat-1', labels: {}, team: 'team-a' };

describe('partitionOf', () => {
  it.each([
    ['Budget', ''],
    ['Namespace', 'team-a'],
    ['Workload', 'team-a/chat'],
    ['Pod', 'team-a/chat-1'],
    ['User', 'ada@example.com'],
  ] as const)('%s: %j', (partitionBy, expected) => {
    expect(partitionOf(partitionBy, SUBJECT, 'ada@example.com')).toBe(expected);
  });

  it('counts calls without a user together, under a name that no user can claim', () => {
    expect(partitionOf('User', SUBJECT, null)).toBe('(none)');
    expect(partitionOf('User', SUBJECT, '')).toBe('(none)');
    expect(partitionOf('User', SUBJECT, '(none)')).toBe('%28none%29');
    expect(partitionOf('Pod', { namespace: 'a', workload: 'b', labels: {}, team: 'a' }, null)).toBe('a/(none)');
  });

  it('gives every user a short name of plain characters, whatever the call claims', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (user) => {
        expect(partitionOf('User', SUBJECT, user)).toMatch(/^([\w.@%-]{1,256}|\(none\))$/);
      }),
    );
    expect(partitionOf('User', SUBJECT, '\ud800\n#')).toBe('%EF%BF%BD%0A%23');
  });

  it('keeps ordinary users apart', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (a, b) => {
        expect(partitionOf('User', SUBJECT, a) === partitionOf('User', SUBJECT, b)).toBe(a === b);
      }),
    );
  });
});
