import { describe, expect, it } from '@jest/globals';
import { printReady } from './ready.ts';

const facts = { proxyUrl: 'http://p', adminUrl: 'http://a', isMock: false, version: '1', stateDir: null };
const budgetsLine = (stateDir: string | null): string =>
  printReady({ ...facts, stateDir })
    .split('\n')
    .find((line) => line.startsWith('budgets:')) ?? '';

describe('the line that shows the budgets', () => {
  it('names no state directory where it is the default', () => {
    expect(budgetsLine(null)).toMatch(/tollgate get tokenbudgets$/);
  });

  it('names any other one, as a shell reads it', () => {
    expect(budgetsLine('/tmp/x-1.d')).toMatch(/ get tokenbudgets --state \/tmp\/x-1\.d$/);
    expect(budgetsLine("/tmp/it's here")).toMatch(/ --state '\/tmp\/it'\\''s here'$/);
  });
});
