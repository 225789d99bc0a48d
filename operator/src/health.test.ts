import { describe, expect, it } from '@jest/globals';
import { liveness, readiness, type HealthFacts } from './health.ts';

const facts = (stated: Partial<HealthFacts> = {}, watch: object = {}): HealthFacts => ({
  watches: [{ kind: 'Pod', hasSynced: true, stalenessMs: 1_000, ...watch }],
  runningMs: [],
  isStopping: false,
  ...stated,
});

describe('the probes', () => {
  it('are content with caches that are filled and heard of', () => {
    expect([liveness(facts()), readiness(facts())]).toEqual([{ ok: true }, { ok: true }]);
  });

  it.each([
    ['a cache that is not filled', facts({}, { hasSynced: false }), /not listed yet: Pod \(are the CRDs installed/],
    ['a server that is quiet', facts({}, { stalenessMs: 360_000 }), /nothing was heard of Pod for 6 minutes/],
    ['stopping', facts({ isStopping: true }), /stopping/],
  ])('say not ready, and why: %s', (_title, given, reason) => {
    expect(readiness(given)).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
    expect(liveness(given)).toEqual({ ok: true });
  });

  it.each([
    ['a watch that hangs', facts({}, { stalenessMs: 1_260_000 }), /heard of Pod for 21 minutes/],
    ['a reconcile that hangs', facts({ runningMs: [5, 660_000] }), /reconcile has run for 11 minutes/],
  ])('ask for a restart: %s', (_title, given, reason) => {
    expect(liveness(given)).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
  });
});
