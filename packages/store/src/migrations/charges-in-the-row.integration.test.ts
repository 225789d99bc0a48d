import { describe, expect, it } from '@jest/globals';
import { makeConnection } from '../connection.ts';
import { migrate } from '../migrate.ts';
import { openStore } from '../open-store.ts';
import { startPglite } from '../testing/pglite.ts';
import { ledger } from './0001-ledger.ts';

describe('0002-charges-in-the-row', () => {
  it('takes over the charges of an older database, by event and by instance', async () => {
    const lite = await startPglite();
    const old = makeConnection({ connectionString: lite.connectionString, max: 1 });
    await old.transact((tx) => migrate(tx, [ledger]));
    await old.transact((tx) => tx.query(OLD_ROWS));
    await old.close();

    const store = await openStore({ connectionString: lite.connectionString, max: 1 });
    const [first] = await store.explain('r1');
    expect(first?.counters).toMatchObject([
      { limit: 'daily', epoch: 'e', held: 9n, charged: 4n },
      { limit: 'soft', epoch: '', held: 0n, charged: 5n, wouldRefuse: true },
    ]);
    expect((await store.explain('r2'))[0]?.counters).toMatchObject([{ limit: 'daily', charged: 6n }]);
    expect((await store.explain('r3'))[0]?.counters).toEqual([]);
    expect((await store.tallies()).map(({ limit, charged }) => [limit, charged])).toEqual([
      ['daily', 10n],
      ['soft', 5n],
    ]);
    // What the pool hears when the instance leaves: of its leases only.
    expect(await store.closeInstance({ instance: 'i', epoch: 'e', lastSeq: 3 }, 0)).toMatchObject([
      { limit: 'daily', amount: 10n },
    ]);
    await store.close();
    await lite.stop();
  }, 60_000);
});

const OLD_ROWS = `
  INSERT INTO epoch (id, opened_at) VALUES ('e', now());
  INSERT INTO instance (id, hello_at, acked_seq) VALUES ('i', now(), 3);
  INSERT INTO epoch_instance (epoch, instance, joined_at) VALUES ('e', 'i', now());
  INSERT INTO counter (budget, limit_name, partition_value, window_id, window_start_ms, unit, limit_max, ceiling)
    VALUES ('n/b', 'daily', '', 'w', 0, 'cost', 100, 100), ('n/b', 'soft', '', 'w', 0, 'cost', 100, 100);
  INSERT INTO event (instance, seq, request_id, attempt, namespace, workload, labels, team, provider, format, usage,
                     input_tokens, output_tokens, settle, held, charged, unproven, stream, started_ms, ended_ms, body_hash, recorded_at)
    SELECT 'i', n, 'r' || n, 1, 'n', 'w', '{}', 't', 'openai', 'openai-chat', '{}', 0, 0, 'usage', 9, 4, false, false, 1, 2, 'h', now()
    FROM generate_series(1, 3) AS n;
  INSERT INTO event_counter (instance, seq, counter_id, epoch, held, charged, would_refuse)
    VALUES ('i', 1, 2, '', 0, 5, true), ('i', 1, 1, 'e', 9, 4, false), ('i', 2, 1, 'e', 9, 6, false);
`;
