import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { START } from '@tollgate/ledger/contract';
import type { Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';

const pod = (name: string, namespace = 'shop') => ({ namespace, name });
const subject = (name: string, namespace = 'shop') => ({
  namespace,
  workload: 'web',
  pod: name,
  labels: {},
  team: namespace,
});

describe.each(DATABASES)('pods of whom no call was recorded, on %s', (_name, start) => {
  let databases: EachDatabase;
  let store: Store;
  let epoch: string;
  beforeAll(async () => {
    databases = await start();
  }, 60_000);
  afterAll(() => databases.stop());
  beforeEach(async () => {
    store = await databases.open();
    epoch = await store.blocks({ clock: () => START }).openEpoch();
  });
  afterEach(() => store.close());

  const hello = (instance: string, name: string, namespace?: string) =>
    store.register({ instance, version: '1', subject: subject(name, namespace) }, epoch, START);
  const call = (instance: string, seq = 1) =>
    store.ingest({ instance, events: [anEvent({ instance, seq })] }, { now: START, resolve: () => null });

  it('are those whose proxies have all sent nothing, whichever of them it was', async () => {
    await hello('first', 'web-1');
    await hello('again', 'web-1');
    await hello('other', 'web-2');
    await hello('elsewhere', 'web-2', 'bank');
    expect(await store.silentPods([pod('web-1'), pod('web-2'), pod('web-2', 'bank'), pod('web-3')])).toEqual([
      pod('web-2', 'bank'),
      pod('web-1'),
      pod('web-2'),
      pod('web-3'),
    ]);
    await call('first');
    await call('elsewhere');
    expect(await store.silentPods([pod('web-1'), pod('web-2'), pod('web-2', 'bank')])).toEqual([pod('web-2')]);
    expect(await store.silentPods([])).toEqual([]);
  });
});
