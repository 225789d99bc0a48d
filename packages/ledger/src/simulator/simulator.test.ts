import { describe, expect, it } from '@jest/globals';
import type { OpenHold } from '../escrow/hold.ts';
import type { Spool } from '../spool/spool.ts';
import { OracleViolation } from './oracle.ts';
import { PROFILES, UNBROKEN, type Breakage, type Profile } from './profile.ts';
import { simulate } from './simulate.ts';

/** `SIM_SEED=17` runs that one alone; `SIM_SEEDS=20000` runs more of them. */
const ONLY = process.env['SIM_SEED'];
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 300);
const NAMES = ['quiet', 'crashes', 'storm', 'unsound'] as const;

const profileOf = (seed: number): Profile => PROFILES[NAMES[seed % NAMES.length] ?? 'quiet'];

describe('the escrow chain, simulated', () => {
  it(
    'never overspends, loses no attempt and counts none twice, whatever dies when',
    async () => {
      const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, index) => index + 1) : [Number(ONLY)];
      const sums = { held: 0, refused: 0, interrupted: 0 };
      for (const seed of seeds) {
        const report = await simulate(seed, { profile: profileOf(seed) });
        sums.held += report.held;
        sums.refused += report.refused;
        sums.interrupted += report.interrupted;
      }
      // The runs did what they are for: money ran out, and processes died with calls open.
      expect(sums.held).toBeGreaterThan(seeds.length * 10);
      if (ONLY === undefined) expect(Math.min(sums.refused, sums.interrupted)).toBeGreaterThan(SEEDS);
    },
    Math.max(60_000, SEEDS * 500),
  );

  it('is decided by its seed', async () => {
    const [first, again, other] = [
      await simulate(7, { profile: PROFILES.storm }),
      await simulate(7, { profile: PROFILES.storm }),
      await simulate(8, { profile: PROFILES.storm }),
    ];
    expect(again).toEqual(first);
    expect(other.digest).not.toBe(first.digest);
  });

  it('survives the end of a process at every record of its spool: before, within and after', async () => {
    const profile: Profile = { ...PROFILES.quiet, lastsMs: 1_500, proxies: 1 };
    const { firstLifeRecords } = await simulate(3, { profile });
    expect(firstLifeRecords).toBeGreaterThan(30);
    for (let record = 1; record <= firstLifeRecords; record += 1) {
      for (const when of ['before', 'torn', 'after'] as const) {
        const report = await simulate(3, { profile, crash: { record, when } });
        expect(report.billed).toBeLessThanOrEqual(report.events);
      }
    }
  }, 60_000);
});

/** Runs until the oracle speaks. */
const firstViolation = async (profile: Profile): Promise<string | null> => {
  for (let seed = 1; seed <= 40; seed += 1) {
    try {
      await simulate(seed, { profile });
    } catch (fault) {
      if (fault instanceof OracleViolation) return fault.message;
      throw fault;
    }
  }
  return null;
};

const broken = (more: Partial<Breakage>): Breakage => ({ ...UNBROKEN, ...more });

describe('the oracle notices', () => {
  const breakages: Readonly<Record<string, [Profile, RegExp]>> = {
    'a proxy that sends before it has written its intent': [
      { ...PROFILES.crashes, broken: broken({ spool: (spool: Spool) => ({ ...spool, intent: () => undefined }) }) },
      /never charged|could not drain|≠ settled|one id/,
    ],
    'a settlement that is applied twice': [
      {
        ...PROFILES.quiet,
        broken: broken({
          afterSettle: (escrow, hold, settlement) => {
            (hold as OpenHold).settled = false;
            escrow.settle(hold, settlement);
          },
        }),
      },
      /in hands|spent/,
    ],
    'an abort that costs nothing': [
      {
        ...PROFILES.quiet,
        broken: broken({
          settlement: (settlement) =>
            settlement.settle === 'abandoned' ? { ...settlement, charged: 0n, counterCharge: () => 0n } : settlement,
        }),
      },
      /billed [0-9]+, charged 0|spent [0-9]+ of/,
    ],
    'a recovery that forgets what was open': [
      {
        ...PROFILES.crashes,
        broken: broken({
          spool: (spool: Spool) => {
            for (const life of spool.lives.values()) life.open.clear();
            return spool;
          },
        }),
      },
      /never charged|≠ settled/,
    ],
    'a settlement that is not written down before it is released': [
      { ...PROFILES.crashes, broken: broken({ spool: (spool: Spool) => ({ ...spool, settle: () => undefined }) }) },
      /never charged|could not drain|in hands|≠ settled/,
    ],
    'a server that counts a batch again that comes again': [
      { ...PROFILES.storm, crash: 0, serverEndsMs: 0, isForgetful: true },
      /in hands|events sum|≠ settled/,
    ],
  };
  for (const [name, [profile, claim]] of Object.entries(breakages)) {
    it(
      name,
      async () => {
        expect(await firstViolation(profile)).toMatch(claim);
      },
      30_000,
    );
  }

  it('and names the seed to replay', async () => {
    const profile = breakages['an abort that costs nothing']?.[0] ?? PROFILES.quiet;
    expect(await firstViolation(profile)).toMatch(/^SIM_SEED=[0-9]+ at [0-9]+ ms: /);
  });
});
