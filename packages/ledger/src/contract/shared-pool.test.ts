import { describe, expect, it } from '@jest/globals';
import { makeSharedMemoryWorld } from './pool-world.ts';
import { sharedPoolContract } from './shared-pool-contract.ts';

sharedPoolContract(
  'memory',
  makeSharedMemoryWorld,
  {
    describe,
    it,
    same: (actual, expected) => {
      expect(actual).toEqual(expected);
    },
  },
  20_000,
);
