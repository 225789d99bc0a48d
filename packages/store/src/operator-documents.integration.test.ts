import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { START } from '@tollgate/ledger/contract';
import type { Store } from './store.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';

describe.each(DATABASES)('what the operator told, on %s', (_name, start) => {
  let databases: EachDatabase;
  let store: Store;
  beforeAll(async () => {
    databases = await start();
  }, 60_000);
  afterAll(() => databases.stop());
  beforeEach(async () => {
    store = await databases.open();
  });
  afterEach(() => store.close());

  const write = (version: string, document = `{"of":"${version}"}`, by = 'tollgate-system/operator/') =>
    store.writeDocument({ name: 'resources', version, document, by }, START);

  it('is not there before it is told, and then is what was told last', async () => {
    expect(await store.documentVersions()).toEqual(new Map());
    expect(await store.readDocument('resources')).toBeNull();
    expect(await write('one')).toBe('written');
    expect(await write('two')).toBe('written');
    expect(await store.readDocument('resources')).toEqual({
      name: 'resources',
      version: 'two',
      document: '{"of":"two"}',
    });
    expect(await store.documentVersions()).toEqual(new Map([['resources', 'two']]));
    expect(await store.readDocument('pods')).toBeNull();
  });

  it('does not change when the same is told again, not even who told it', async () => {
    await write('one', '{}', 'first');
    expect(await write('one', '{"other":"text"}', 'second')).toBe('unchanged');
    await databases.run(
      `DO $$ BEGIN IF (SELECT written_by FROM operator_document) <> 'first' THEN RAISE 'rewritten'; END IF; END $$`,
    );
    expect(await store.readDocument('resources')).toMatchObject({ document: '{}' });
  });

  it('keeps what several say at once apart, and whole', async () => {
    const big = `{"filling":"${'x'.repeat(2 << 20)}"}`;
    const outcomes = await Promise.all([
      write('one', big),
      write('two', big.toUpperCase()),
      store.writeDocument({ name: 'pods', version: 'p', document: '{"pods":[]}', by: 'x' }, START),
    ]);
    expect(outcomes).toEqual(['written', 'written', 'written']);
    const found = await store.readDocument('resources');
    expect(found?.document).toBe(found?.version === 'one' ? big : big.toUpperCase());
    expect((await store.documentVersions()).get('pods')).toBe('p');
  });

  it('takes no other document', async () => {
    await expect(
      store.writeDocument({ name: 'secrets' as never, version: 'v', document: '{}', by: 'x' }, START),
    ).rejects.toThrow();
  });
});
