import { describe, expect, it } from '@jest/globals';
import { MATRIX } from './matrix.ts';
import { FULL } from './plan-shape.ts';
import { planSchedule } from './plan.ts';
import { play } from './play.ts';
import type { Schedule } from './schedule.ts';

/** `SIM_SEEDS=20000` plays more of them; `make test-sim` does so on every core. */
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 300);

describe('the escrow chain, simulated', () => {
  it(
    'never overspends, loses no attempt and counts none twice, whatever fails when',
    async () => {
      const sums = { calls: 0, held: 0, refused: 0, interrupted: 0, overdrawn: 0 };
      const faults = new Map<number, number>();
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const report = await play(planSchedule(seed));
        sums.calls += report.calls;
        sums.held += report.held;
        sums.refused += report.refused;
        sums.interrupted += report.interrupted;
        sums.overdrawn += report.overdrawn;
        for (const [row, count] of report.faults) faults.set(row, (faults.get(row) ?? 0) + count);
      }
      // The runs did what they are for: money ran out, processes died with calls open, and every fault struck.
      expect(sums.calls / SEEDS).toBeGreaterThan(200);
      expect(sums.held / SEEDS).toBeGreaterThan(100);
      expect(Math.min(sums.refused, sums.interrupted)).toBeGreaterThan(SEEDS / 2);
      expect(sums.overdrawn).toBeGreaterThan(0);
      expect([...faults.values()].reduce((sum, count) => sum + count, 0) / SEEDS).toBeGreaterThan(5);
      expect(MATRIX.filter(({ row }) => !faults.has(row))).toEqual([]);
    },
    Math.max(300_000, SEEDS * 1_000),
  );

  it('is decided by its schedule', async () => {
    const [first, again, other] = [
      await play(planSchedule(7)),
      await play(planSchedule(7)),
      await play(planSchedule(8)),
    ];
    expect(again).toEqual(first);
    expect(other.digest).not.toBe(first.digest);
  });

  it('survives the end of a process at every record of its spool: before, within and after', async () => {
    const quiet = planSchedule(3, { ...FULL, proxies: 1, servers: 1, lastsMs: 1_500, calls: 12, faults: 0 });
    const killed = (record: number, when: 'before' | 'torn' | 'after'): Schedule => ({
      ...quiet,
      actions: [{ at: 0, kind: 'kill-at-record', proxy: 0, record, when, downMs: 100 }, ...quiet.actions],
    });
    // One that is not killed by its record is ended when all go home, wherever that record would have been.
    const { digest } = await play(killed(1_000_000, 'after'));
    let record = 0;
    for (let isOver = false; !isOver;) {
      record += 1;
      for (const when of ['before', 'torn', 'after'] as const) {
        isOver = (await play(killed(record, when))).digest === digest;
      }
    }
    expect(record).toBeGreaterThan(30);
  }, 300_000);
});
