import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { START } from '@tollgate/ledger/contract';
import { encodeEvents } from '@tollgate/ledger/wire';
import type { Store } from '@tollgate/store';
import { anEvent, DATABASES, type EachDatabase } from '@tollgate/store/testing';
import { aBudget } from './testing/a-budget.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const HOUR = 3_600_000;
const SPENT = 1_500_000_000n;

describe.each(DATABASES)('a budget defined after money was spent, on %s', (_name, start) => {
  let databases: EachDatabase;
  let store: Store;
  let test: TestServer;
  const clock = { now: START + HOUR };
  beforeAll(async () => {
    databases = await start();
    store = await databases.open();
    test = await startTestServer(store, clock);
  }, 60_000);
  afterAll(async () => {
    await test.server.close();
    await store.close();
    await databases.stop();
  });

  const shown = async (name: string) => {
    const { json } = await test.ask('GET', '/v1/budgets');
    const { budgets } = json as {
      budgets: readonly {
        columns: { name: string; spent: string; used: string; reason: string; exhausts: string };
        limits: readonly { remaining: string }[];
      }[];
    };
    const [view] = budgets.filter(({ columns }) => columns.name === name);
    if (!view) throw new Error(`no budget ${name} among those shown`);
    const { spent, used, reason, exhausts } = view.columns;
    return { spent, used, reason, exhausts, remaining: view.limits.map(({ remaining }) => remaining) };
  };

  it('shows what was spent before its first call, and the same after it', async () => {
    const first = aBudget({ limits: [{ name: 'daily', cost: { max: '10' }, period: 'Day' }] }, 'first');
    await test.server.setResources({ budgets: [first], routes: [] });
    const subject = { namespace: 'default', workload: 'local', labels: {}, team: 'default' };
    await test.ask('POST', '/v1/hello', { contract: 1, instance: 'local-1', version: '1.2.3', subject });
    const charge = { budget: 'default/first', limit: 'daily', partition: '', windowId: '', epoch: '', held: 0n };
    const event = anEvent({ instance: 'local-1', charged: SPENT, counters: [{ ...charge, charged: SPENT }] });
    const sent = await test.ask('POST', '/v1/events', encodeEvents({ instance: 'local-1', events: [event] }));
    expect(sent.status).toBe(200);
    expect(await shown('first')).toMatchObject({ spent: '$1.50', reason: 'Enforcing' });

    clock.now += HOUR;
    const elsewhere = aBudget({}, 'pool', 'elsewhere');
    await test.server.setResources({ budgets: [first, aBudget({}, 'second'), elsewhere], routes: [] });
    const exhausted = { spent: '$1.50', used: '150%', reason: 'Exhausted', exhausts: 'now', remaining: ['0'] };
    expect(await shown('second')).toEqual(exhausted);
    expect(await shown('pool')).toMatchObject({ spent: '$0.00', reason: 'Enforcing' });
    // Looking books nothing.
    expect((await store.tallies()).map(({ budget }) => budget)).toEqual(['default/first']);

    const need = { budget: 'default/second', limit: 'daily', partition: '', need: '100', prefer: '100' };
    await test.ask('POST', '/v1/lease', { instance: 'local-1', seq: 1, needs: [need] });
    expect((await store.tallies()).map(({ budget }) => budget).toSorted()).toEqual(['default/first', 'default/second']);
    expect(await shown('second')).toEqual(exhausted);
  });
});
