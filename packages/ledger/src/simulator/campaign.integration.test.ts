import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const MAIN = join(import.meta.dirname, 'main.ts');

interface Ended {
  readonly code: number;
  readonly text: string;
}

const simulate = (settings: Readonly<Record<string, string>>): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { ...process.env, SIM_WORKERS: '1', ...settings };
    execFile(process.execPath, ['--conditions=source', MAIN], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, text: stdout + stderr });
    });
  });

describe('make test-sim', () => {
  it('plays the seeds that it is told, and ends with their sums', async () => {
    const { code, text } = await simulate({ SIM_SEEDS: '4', SIM_FROM: '11' });
    expect(text).toMatch(
      /\n4 schedules, [0-9]+ calls \(.*\), [0-9]+ faults of [0-9]+ rows, 0 violations, .* schedules\/s at [0-9]+ ms of CPU each\n$/,
    );
    expect(text).toMatch(/row {2}6 +[0-9]+ {2}Redis killed, and back empty/);
    expect(code).toBe(0);
  });

  it('prints a failing seed as a short schedule, which plays again exactly', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simulation-'));
    const broken = { SIM_MUTANT: 'free abort', SIM_DIR: folder };
    const { code, text } = await simulate({ ...broken, SIM_SEEDS: '1' });
    expect(code).toBe(1);
    expect(text).toMatch(/SIM_SEED=1 at [0-9]+ ms: events: .*billed [0-9]+, charged 0/);
    expect(text).toMatch(/commit \w+, shortened in [0-9]+ runs to/);
    expect(text).toMatch(/ms {2}call .*ending=abandoned/);
    const digest = /digest ([0-9a-f-]+), the same when played again/.exec(text)?.[1];
    expect(digest).toBeDefined();

    const file = join(folder, 'seed-1.json');
    expect(readFileSync(file, 'utf8')).toMatch(/"seed": 1/);
    const again = await simulate({ ...broken, SIM_REPLAY: file });
    expect(again.code).toBe(1);
    expect(again.text).toContain(`digest ${String(digest)}`);
  });

  it('shows one seed, and says where it breaks nothing', async () => {
    const { code, text } = await simulate({ SIM_SEED: '2' });
    expect(text).toMatch(/^seed 2: 8 proxies, 2 servers, 120 s, [0-9]+ actions\n/);
    expect(text).toMatch(/\nnothing is broken\n$/);
    expect(code).toBe(0);
  });

  it('says what it does not understand', async () => {
    expect(await simulate({ SIM_SEEDS: 'many' })).toEqual({
      code: 64,
      text: 'SIM_SEEDS is a whole number, not many\n',
    });
    expect((await simulate({ SIM_MUTANT: 'none' })).text).toMatch(/^SIM_MUTANT is one of: skipped hold, /);
  });
});
