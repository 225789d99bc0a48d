import { describe, expect, it } from '@jest/globals';
import { SETTING } from '@tollgate/operator/chart';
import { annotationsPage } from './annotations-page.ts';

describe('the page of annotations', () => {
  const { text } = annotationsPage();

  it.each(Object.values(SETTING))('has a row for %s, with what it may say and what counts without it', (name) => {
    const [row = ''] = text.split('\n').filter((line) => line.startsWith(`| \`${name}\``));
    expect(row.split(' | ')).toEqual([name, /./, /./, /./].map((cell) => expect.stringMatching(cell)));
  });
});
