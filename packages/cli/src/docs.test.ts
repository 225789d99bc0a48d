import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { cliPage } from './docs.ts';

describe('docs/cli.md', () => {
  it('says what the commands say', () => {
    const { path, text } = cliPage();
    expect(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')).toBe(text);
  });
});
