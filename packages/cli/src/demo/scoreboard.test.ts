import { describe, expect, it } from '@jest/globals';
import { raceFrame, raceJson, raceLine, raceTable } from './scoreboard.ts';
import type { RaceResult } from './scoreboard.ts';

const LIMIT = 1_000_000_000n;
const over = { name: 'check-then-add', billed: 1_278_295_001n, admitted: 114, refused: 20 };
const under = { name: 'Tollgate', billed: 500_000_000n, admitted: 1_050, refused: 0 };

const result = (gates: RaceResult['gates']): RaceResult => ({
  limit: LIMIT,
  agents: 20,
  seconds: 7.44,
  gates,
  lastRequestId: 'tg-1-1',
  lastRefusal: null,
});

describe('the scoreboard of a race', () => {
  it('draws each gate to one scale, marks the limit and says who is over it', () => {
    expect(raceFrame([over, under], LIMIT)).toEqual([
      `  check-then-add ${'█'.repeat(15)}│${'█'.repeat(4)}░   $1.28 114 calls, 20 refused  OVER`,
      `  Tollgate       ${'█'.repeat(7)}${'░'.repeat(8)}│${'░'.repeat(5)}   $0.50 1,050 calls`,
    ]);
  });

  it('keeps within 80 columns, so that it can be drawn over', () => {
    const busy = { ...over, billed: 99_990_000_000n, admitted: 1_114, refused: 100 };
    for (const line of raceFrame([busy], LIMIT)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('keeps within its bar whatever was spent', () => {
    expect(raceFrame([{ ...over, billed: 900n * LIMIT }], LIMIT)[0]).toContain(`│${'█'.repeat(5)} $900.00 `);
  });

  it('says it in a line where nothing can be drawn over', () => {
    expect(raceLine([over, under], 7.44)).toBe(
      '   7.4 s   check-then-add $1.28, 114 calls, 20 refused   Tollgate $0.50, 1,050 calls',
    );
  });

  it('rounds no overspend away in the end', () => {
    const table = raceTable(
      result([
        { ...over, ownBooks: over.billed },
        { ...under, billed: LIMIT, ownBooks: LIMIT },
      ]),
    );
    expect(table.split('\n').slice(1)).toEqual([
      expect.stringMatching(
        /^check-then-add +\$1\.00 +\$1\.278295001 +\$0\.278295001 \(27\.8 %\) +\$1\.278295001 +114 +20$/,
      ),
      expect.stringMatching(/^Tollgate +\$1\.00 +\$1\.00 +none +\$1\.00 +1,050 +0$/),
      '',
    ]);
  });

  it('tells machines in decimal strings', () => {
    expect(JSON.parse(raceJson(result([{ ...over, ownBooks: 1n }])))).toEqual({
      mock: true,
      limitUsd: '1.000000000',
      agents: 20,
      seconds: 7.4,
      gates: [
        {
          name: 'check-then-add',
          billedUsd: '1.278295001',
          overspendUsd: '0.278295001',
          ownBooksUsd: '0.000000001',
          admitted: 114,
          refused: 20,
        },
      ],
      lastRequestId: 'tg-1-1',
      lastRefusal: null,
    });
  });
});
