import { describe, expect, it } from '@jest/globals';
import type { BlockSource } from './block-source.ts';
import { makePool } from './make-pool.ts';
import { makeMemoryBlockSource } from './memory-block-source.ts';
import { makeMemoryPoolState } from './memory-pool-state.ts';

const NAME = { budget: 'team/pool', limit: 'total', partition: '' };
const need = (amount: bigint) => [{ ...NAME, need: amount, prefer: amount }];

describe('a pool that another server fills at the same moment', () => {
  it('leases what the other has loaded, though the source has nothing left and says that it is held', async () => {
    const source = makeMemoryBlockSource();
    const state = makeMemoryPoolState({ clock: () => 0 });
    for (const instance of ['a', 'b']) source.register(instance);
    const server = (name: string, over: BlockSource) =>
      makePool({
        state,
        source: over,
        resolve: (of) => ({
          ...of,
          unit: 'cost',
          max: 10n,
          window: { id: 'Total', start: 0, end: null },
          sliding: null,
        }),
        clock: () => 0,
        liveProxies: () => 1,
        sharedAs: name,
      });
    const other = await server('other', source);
    let isFirst = true;
    const ours = await server('ours', {
      ...source,
      allocate: async (request) => {
        if (isFirst) {
          isFirst = false;
          const taken = await other.acquire({ instance: 'b', seq: 1, needs: need(10n) });
          if (!taken.granted) throw new Error('the other was to have it all');
          const [grant] = taken.grants;
          if (grant) {
            const back = { ...NAME, leaseId: grant.leaseId, windowId: grant.window.id, epoch: grant.epoch, amount: 9n };
            await other.giveBack({ instance: 'b', seq: 2, returns: [back] });
          }
        }
        return source.allocate(request);
      },
    });
    expect(await ours.acquire({ instance: 'a', seq: 1, needs: need(5n) })).toMatchObject({ granted: true });
    // And where nothing came, the no stands.
    expect(await ours.acquire({ instance: 'a', seq: 2, needs: need(9n) })).toMatchObject({ reason: 'held' });
  });
});
