import { describe, expect, it } from '@jest/globals';
import { ledgerContract, type SuiteTools } from './ledger-contract.ts';
import { makeMemoryHarness } from './memory-harness.ts';
import { makeSharedMemoryWorld } from './pool-world.ts';

const tools: SuiteTools = {
  describe,
  it,
  same: (actual, expected) => {
    expect(actual).toEqual(expected);
  },
};
const size = { games: 300, parallel: 500, timeoutMs: 20_000 };

ledgerContract('memory pool over memory blocks', () => makeMemoryHarness(), tools, size);
ledgerContract('shared memory state over memory blocks', () => makeMemoryHarness(makeSharedMemoryWorld), tools, size);
