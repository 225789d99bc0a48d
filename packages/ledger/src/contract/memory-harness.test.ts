import { describe, expect, it } from '@jest/globals';
import { ledgerContract } from './ledger-contract.ts';
import { makeMemoryHarness } from './memory-harness.ts';

ledgerContract(
  'memory pool over memory blocks',
  makeMemoryHarness,
  {
    describe,
    it,
    same: (actual, expected) => {
      expect(actual).toEqual(expected);
    },
  },
  { games: 300, parallel: 500, timeoutMs: 20_000 },
);
