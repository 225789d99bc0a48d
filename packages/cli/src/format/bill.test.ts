import { describe, expect, it } from '@jest/globals';
import { billJson, printBill } from './bill.ts';
import { dollars, grouped } from './dollars.ts';
import { printReady } from './ready.ts';
import { printUsage } from './usage-table.ts';

const line = (model: string, charged: bigint) => ({ model, calls: 1200n, inputTokens: 5n, outputTokens: 60n, charged });

describe('the bill', () => {
  it('sums by model and says what is left', () => {
    const bill = {
      lines: [line('openai/a', 1_500_000_000n), line('openai/b', 1n)],
      budget: 2_000_000_000n,
      refused: 3,
      isMock: false,
    };
    expect(printBill(bill)).toBe(
      [
        'tollgate: the bill',
        '  MODEL      CALLS   INPUT   OUTPUT   COST',
        '  openai/a   1,200   5       60       $1.50',
        '  openai/b   1,200   5       60       $0.000000001',
        '  total      2,400   10      120      $1.500000001',
        '  spent $1.500000001 of $2.00, $0.499999999 left, 3 refused',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(billJson(bill))).toEqual({
      mock: false,
      budgetUsd: '2.000000000',
      spentUsd: '1.500000001',
      remainingUsd: '0.499999999',
      calls: 2400,
      refused: 3,
      models: [
        { model: 'openai/a', calls: 1200, inputTokens: 5, outputTokens: 60, costUsd: '1.500000000' },
        { model: 'openai/b', calls: 1200, inputTokens: 5, outputTokens: 60, costUsd: '0.000000001' },
      ],
    });
  });

  it('of nothing says so, and of the mock provider says that too', () => {
    const text = printBill({ lines: [], budget: 1n, refused: 0, isMock: true });
    expect(text).toContain('MOCK: simulated answers, nobody was charged');
    expect(text).toContain('  no metered call was made\n  spent $0.00 of $0.000000001');
  });
});

describe('usage', () => {
  it('has a total where there is more than one line', () => {
    const row = { key: 'a', charged: 10_000_000n, calls: 1n, inputTokens: 2n, outputTokens: 3n };
    expect(printUsage('team', [row])).toBe(
      'TEAM   CALLS   INPUT   OUTPUT   COST\na      1       2       3        $0.01\n',
    );
    expect(printUsage('team', [row, row])).toContain('total   2       4       6        $0.02');
  });
});

describe('amounts', () => {
  it('keep every nano-dollar, and their sign', () => {
    expect([dollars(0n), dollars(-1_000n), dollars(12_340_000_000n)]).toEqual(['$0.00', '-$0.000001', '$12.34']);
    expect([grouped(999), grouped(1_234_567n)]).toEqual(['999', '1,234,567']);
  });
});

describe('the ready lines', () => {
  const facts = {
    proxyUrl: 'http://127.0.0.1:4100',
    adminUrl: 'http://127.0.0.1:4190',
    version: '0.1.0',
    stateDir: null,
  };

  it('are one that says ready and five to use', () => {
    const lines = printReady({ ...facts, isMock: true })
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toBe('tollgate 0.1.0 is ready (MOCK: answers are simulated, nobody is charged)');
    expect(lines[1]).toContain('export OPENAI_BASE_URL=http://127.0.0.1:4100/openai/v1');
    expect(lines[3]).toContain('npx pnpm@10 exec tollgate get tokenbudgets');
    expect(lines[4]).toContain('http://127.0.0.1:4190/metrics');
    expect(lines[5]).toContain('Ctrl-C');
  });

  it('take the key from the environment when answers are real', () => {
    expect(printReady({ ...facts, isMock: false })).toContain('Bearer $OPENAI_API_KEY');
  });
});
