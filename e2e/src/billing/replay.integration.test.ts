/**
 * Exact money: random usages at every price there is, through the wire and a real PostgreSQL, and what the ledger then
 * holds is priced anew by `replay.py`. `REPLAY_USAGES=1000000` for the whole of it (`make test-replay`).
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LedgerEvent } from '@tollgate/ledger';
import { decodeEvents, encodeEvent } from '@tollgate/ledger/wire';
import { charge, TOKEN_KINDS, UNIT_KINDS, type PriceRow, type Usage } from '@tollgate/metering';
import { shippedPriceTable, priceFile } from '@tollgate/prices/data';
import { openStore } from '@tollgate/store';
import { anEvent, startPostgres, type TestPostgres } from '@tollgate/store/testing';
import { makeDice, type Dice } from '../testing/dice.ts';

const USAGES = Number(process.env['REPLAY_USAGES'] ?? 20_000);
const SEED = Number(process.env['REPLAY_SEED'] ?? 20_261_121);
const BATCH = 500;
const SCRIPT = fileURLToPath(new URL('./replay.py', import.meta.url));
const TABLE = fileURLToPath(new URL('../../../packages/prices/src/table.json', import.meta.url));
const PSQL = '/usr/lib/postgresql/15/bin/psql';
const LIMIT_MS = 60_000 + USAGES;
/** The largest charge that a counter can take with all the others. */
const MOST_TOKENS = 3_000_000;

const prices = shippedPriceTable();
const rows: readonly PriceRow[] = prices.rowsFor([...new Set(priceFile.rows.map(({ provider }) => provider))]).rows;

const randomUsage = (dice: Dice, row: PriceRow): Usage => {
  const usage: Record<string, number> = {};
  for (const kind of TOKEN_KINDS) if (dice.percent(45)) usage[kind] = randomCount(dice, row);
  for (const kind of UNIT_KINDS) if (dice.percent(10) && row.units[kind] !== undefined) usage[kind] = dice.roll(20);
  return usage;
};

/** Of every order of magnitude, and just about where a tier begins. */
const randomCount = (dice: Dice, row: PriceRow): number => {
  const edge = dice.pick([0, ...row.tiers.map(({ aboveInputTokens }) => aboveInputTokens)]);
  if (dice.percent(20)) return Math.max(0, edge + dice.roll(3) - 1);
  return Math.min(dice.roll(2 ** (1 + dice.roll(22))), MOST_TOKENS);
};

const randomEvent = (dice: Dice, seq: number): LedgerEvent => {
  const row = rows[dice.roll(rows.length)];
  if (row === undefined) throw new Error('no prices');
  const usage = randomUsage(dice, row);
  const charged = charge(usage, row);
  return anEvent({
    instance: 'replay',
    seq,
    requestId: `replay-${String(seq)}`,
    provider: row.provider,
    usage,
    charged,
    priceVersion: prices.version,
    priceRow: { model: `${row.provider}/${row.model}`, source: row.source, date: row.date },
    counters: [
      {
        budget: 'replay/all',
        limit: 'money',
        partition: '',
        windowId: '',
        epoch: '',
        held: 0n,
        charged,
        wouldRefuse: false,
      },
    ],
  });
};

/** `charged`: what the replay is told that was charged, in SQL. */
const replayed = (
  connectionString: string,
  charged = 'charged',
): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  new Promise((resolve, reject) => {
    const copy = `COPY (SELECT c.price_row->>'model', e.usage, e.${charged}
      FROM event e JOIN event_common c ON c.month = e.month AND c.id = e.common) TO STDOUT`;
    const psql = spawn(PSQL, ['-X', '-d', connectionString, '-c', copy], { stdio: ['ignore', 'pipe', 'inherit'] });
    const python = spawn('python3', [SCRIPT, TABLE], { stdio: [psql.stdout, 'pipe', 'pipe'] });
    // Its end of the pipe is Python's alone now.
    psql.stdout.destroy();
    psql.once('error', reject);
    psql.once('exit', (code) => {
      if (code !== 0) reject(new Error(`psql ended with ${String(code)}`));
    });
    python.once('error', reject);
    let stdout = '';
    let stderr = '';
    python.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
    python.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    python.once('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });

describe('a ledger of random usages', () => {
  let postgres: TestPostgres;

  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(async () => {
    await postgres.stop();
  });

  it(
    `says of each what a decimal replay says, its counter is their sum, and one nano more is noticed (${String(USAGES)} usages, seed ${String(SEED)})`,
    async () => {
      const connectionString = await postgres.database();
      const store = await openStore({ connectionString });
      const dice = makeDice(SEED);
      const resolve = () => ({
        budget: 'replay/all',
        limit: 'money',
        partition: '',
        unit: 'cost' as const,
        max: BigInt(Number.MAX_SAFE_INTEGER),
        window: { id: 'Total', start: 0, end: null },
        sliding: null,
      });
      const epoch = await store.blocks({ clock: () => 0 }).openEpoch();
      await store.register({ instance: 'replay', version: '1', subject: anEvent({}).subject }, epoch, 0);
      let total = 0n;
      for (let seq = 1; seq <= USAGES; seq += BATCH) {
        const events = Array.from({ length: Math.min(BATCH, USAGES + 1 - seq) }, (_, at) =>
          randomEvent(dice, seq + at),
        );
        for (const { charged } of events) total += charged;
        const batch = decodeEvents(`{"instance":"replay","events":[${events.map(encodeEvent).join(',')}]}`);
        await store.ingest(batch, { now: 0, resolve });
      }
      const [tally] = await store.tallies();
      await store.close();

      const { code, stdout, stderr } = await replayed(connectionString);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual({ rows: USAGES, total: String(total), wrong: 0 });
      expect(tally).toMatchObject({ budget: 'replay/all', charged: total });

      const forged = await replayed(connectionString, 'charged + (seq = 7)::int');
      expect(forged.code).toBe(1);
      expect(JSON.parse(forged.stdout)).toMatchObject({ rows: USAGES, wrong: 1 });
    },
    LIMIT_MS,
  );
});
