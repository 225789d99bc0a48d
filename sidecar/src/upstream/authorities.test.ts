import { expect, it } from '@jest/globals';
import { rootCertificates } from 'node:tls';
import { authoritiesWith } from './authorities.ts';

it('trusts an extra authority beside the built-in ones, not in their place', () => {
  const all = new Set(authoritiesWith('extra'));
  expect(all.has('extra')).toBe(true);
  expect(rootCertificates.filter((root) => !all.has(root))).toEqual([]);
});
