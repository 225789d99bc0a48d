import { describe, expect, it } from '@jest/globals';
import { withSection } from './page.ts';

describe('the page of the benches', () => {
  const proxy = withSection('', 'proxy', 'fast\n');

  it('begins with whichever bench runs first', () => {
    expect(proxy).toBe('# Benchmarks\n\n<!-- bench:proxy -->\nfast\n<!-- /bench:proxy -->\n');
  });

  it('keeps what the other benches wrote, in one order', () => {
    const both = withSection(withSection('', 'ledger', 'exact'), 'proxy', 'fast');
    expect(both).toBe(withSection(proxy, 'ledger', 'exact'));
    expect(both.indexOf('fast')).toBeLessThan(both.indexOf('exact'));
  });

  it('has room for the three of them', () => {
    const all = withSection(withSection(withSection('', 'cluster', 'near'), 'ledger', 'exact'), 'proxy', 'fast');
    expect(all.match(/fast|exact|near/g)).toEqual(['fast', 'exact', 'near']);
  });

  it('replaces what the same bench wrote before', () => {
    expect(withSection(proxy, 'proxy', 'faster')).toBe(proxy.replace('fast', 'faster'));
  });
});
