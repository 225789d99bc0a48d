/**
 * `make test-faults`: real processes, real sockets, real faults, for as many minutes as asked, with the ledger held against
 * the provider's own log after each round. FAULT_MINUTES, FAULT_SEED, FAULT_ROWS (`1,14`), FAULT_ROUND (faults a round).
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDice } from '../testing/dice.ts';
import type { Fault, Lane, Need } from './faults/scene.ts';
import { FAULTS, ROWS } from './matrix.ts';
import { runRound } from './round.ts';
import { schedule } from './schedule.ts';

const number = (name: string, fallback: number): number => {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} must be a number, and is '${text}'`);
  return value;
};

/** So much of the time is given on top where rows are missing: a quarter. */
const EXTRA = 4;

const main = async (): Promise<number> => {
  const root = join(import.meta.dirname, '../../..');
  const minutes = number('FAULT_MINUTES', 6);
  const seed = number('FAULT_SEED', Date.now() % 1_000_000);
  const perRound = number('FAULT_ROUND', 60);
  const hasRedis = number('FAULT_REDIS', 1) === 1;
  const wanted = (process.env['FAULT_ROWS'] ?? '').split(',').filter(Boolean).map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-faults-'));
  // PostgreSQL runs as another user, and has to find its way in.
  chmodSync(folder, 0o755);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`seed ${String(seed)}, ${String(minutes)} minutes, in ${folder}`);

  const has: Readonly<Record<Need, boolean>> = {
    redis: hasRedis,
    'two servers': hasRedis,
    'own disk': process.getuid?.() === 0,
  };
  const faults = FAULTS.filter(({ row }) => wanted.length === 0 || wanted.includes(row)).filter(({ needs = [] }) =>
    needs.every((need) => has[need]),
  );
  const orderOf = (lane: Lane): Iterator<Fault> =>
    schedule(
      faults.filter((fault) => fault.lane === lane),
      makeDice(seed),
    );
  const orders: Readonly<Record<Lane, Iterator<Fault>>> = { edge: orderOf('edge'), centre: orderOf('centre') };
  const end = performance.now() + minutes * 60_000;
  const counts = new Map<number, number>();
  const rows = new Set(faults.map((fault) => fault.row));
  const met = new Set<number>();
  const waiting: Fault[] = [];
  /** On a slow machine the time is over before each row has had its turn: then a little longer, for those alone. */
  const isLate = (): boolean => {
    const now = performance.now();
    return now > end && (met.size === rows.size || now > end + (minutes * 60_000) / EXTRA);
  };
  let passed = 0;
  let failed = 0;
  const nextOf = (lane: Lane): Fault | null => {
    const index = waiting.findIndex((fault) => fault.lane === lane);
    if (index >= 0) return waiting.splice(index, 1)[0] ?? null;
    const { value } = orders[lane].next() as IteratorResult<Fault, undefined>;
    return value ?? null;
  };
  for (let round = 0; !isLate(); round += 1) {
    const home = join(folder, `round-${String(round)}`);
    mkdirSync(home);
    let left = perRound;
    const result = await runRound({
      root,
      folder: home,
      seed: seed + round,
      hasRedis,
      say,
      putBack: (fault) => void waiting.push(fault),
      met: ({ row }) => void met.add(row),
      next: (lane) => {
        left -= 1;
        if (left < 0 || isLate()) return null;
        return nextOf(lane);
      },
    });
    for (const { row, failure } of result.faults) {
      counts.set(row, (counts.get(row) ?? 0) + 1);
      if (failure === null) passed += 1;
      else failed += 1;
    }
    failed += result.breaches.length;
    passed += result.breaches.length === 0 ? 1 : 0;
    say(`     round ${String(round)}: ${result.summary}`);
    for (const breach of result.breaches) say(`FAIL ${breach}`);
    if (result.breaches.length > 0 || result.faults.some(({ failure }) => failure !== null)) {
      say(`     kept: ${home}; again: make test-faults FAULT_SEED=${String(seed)}`);
    } else rmSync(home, { recursive: true, force: true });
  }
  say('');
  for (const [row, what] of ROWS)
    say(`row ${String(row).padStart(2)}  ${String(counts.get(row) ?? 0).padStart(4)}  ${what}`);
  for (const row of rows) {
    if (counts.has(row)) continue;
    say(`FAIL row ${String(row)} was not met`);
    failed += 1;
  }
  say(`${String(passed)} passed, ${String(failed)} failed`);
  return failed === 0 ? 0 : 1;
};

// A connection that a fault has left behind must not keep the suite.
process.exit(await main());
