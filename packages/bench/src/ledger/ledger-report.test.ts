import { describe, expect, it } from '@jest/globals';
import { below, least, most, verdictOf } from './finding.ts';
import { figure, ledgerReport } from './ledger-report.ts';

describe('the ledger’s page of figures', () => {
  it.each([
    [0.05, below(0.05), 'missed'],
    [0.049, below(0.05), 'met'],
    [1.05, most(1.05), 'met'],
    [24_999, least(25_000), 'missed'],
    [25_000, least(25_000), 'met'],
    [NaN, least(1), 'not measured'],
    [7, null, 'no goal'],
  ] as const)('%d against %o is %s', (value, goal, verdict) => {
    expect(verdictOf({ value, goal })).toBe(verdict);
  });

  it.each([
    [25_312.4, '25,312'],
    [4.3149, '4.31'],
    [0.01324, '0.0132'],
    [0, '0'],
    [NaN, '–'],
  ])('writes %d as %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it('says what was missed and what comes next, and hides no figure that is not there', () => {
    const text = ledgerReport({
      findings: [
        { what: 'leases a second', value: 9, goal: least(10), beside: '0.5 × PING', next: 'one script less' },
        { what: 'append, µs', value: 1.5, goal: below(5), beside: '' },
        { what: 'fan-out, s', value: NaN, goal: below(2), beside: '' },
      ],
      rounds: 5,
      machine: { cores: 2, model: 'x', memoryGiB: 4, node: 'v24' },
      date: '2026-11-21',
      faults: ['fan-out: no server'],
    });
    expect(text).toContain('| leases a second | 9 | ≥ 10 | **missed** | 0.5 × PING |');
    expect(text).toContain('| append, µs | 1.5 | < 5 | met |  |');
    expect(text).toContain('| fan-out, s | – | < 2 | **not measured** |  |');
    expect(text).toContain('- leases a second: one script less');
    expect(text).toContain('- fan-out: no server');
  });
});
