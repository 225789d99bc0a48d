import { describe, expect, it } from '@jest/globals';
import type { CallerReview } from '@tollgate/ledger';
import { makeVerdicts, type VerdictOutcome, type VerdictsDeps } from './verdicts.ts';

const CALLER = { namespace: 'shop', serviceAccount: 'ci', pod: null };
const YES: CallerReview = { accepted: true, caller: CALLER, validMs: 60_000, unaskedMs: 600_000 };
const NO: CallerReview = { accepted: false, fault: 'expired' };

const setUp = (most: Partial<VerdictsDeps<string>> = {}) => {
  const world: { now: number; says: (token: string) => CallerReview | Error } = { now: 0, says: () => YES };
  const asked: string[] = [];
  const outcomes: VerdictOutcome[] = [];
  const verdicts = makeVerdicts<string>({
    ask: async (token) => {
      asked.push(token);
      await Promise.resolve();
      const said = world.says(token);
      if (said instanceof Error) throw said;
      return said;
    },
    accept: ({ namespace }) => `policy of ${namespace}`,
    hash: (token) => `hash of ${token}`,
    clock: () => world.now,
    onOutcome: (outcome) => outcomes.push(outcome),
    ...most,
  });
  return { world, asked, outcomes, of: async (token: string) => verdicts.of(token), verdicts };
};

describe('what was said of a token', () => {
  it('is known at once from then on, for a minute and no longer than the server says', async () => {
    const { world, asked, verdicts, of } = setUp();
    expect(await of('a')).toMatchObject({ verdict: 'accepted', caller: CALLER, value: 'policy of shop' });
    world.now = 59_999;
    expect(verdicts.of('a')).toMatchObject({ verdict: 'accepted' });
    world.now = 60_000;
    await of('a');
    expect(asked).toEqual(['a', 'a']);
    world.says = () => ({ ...YES, validMs: 86_400_000 });
    await of('b');
    world.now += 60_000;
    await of('b');
    world.says = () => ({ ...YES, validMs: 7_000 });
    await of('c');
    world.now += 7_000;
    await of('c');
    expect(asked).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  });

  it('is asked once for all calls that wait for it, and for each token apart', async () => {
    const { asked, of } = setUp();
    await Promise.all(['a', 'a', 'b', 'a'].map(of));
    expect(asked).toEqual(['a', 'b']);
  });

  it('holds shorter where it is a no, and a no ends what was accepted before', async () => {
    const { world, asked, verdicts, of } = setUp();
    await of('a');
    world.now = 60_000;
    world.says = () => NO;
    expect(await of('a')).toMatchObject({ verdict: 'refused', fault: 'expired' });
    world.now += 4_999;
    expect(verdicts.of('a')).toMatchObject({ verdict: 'refused' });
    world.now += 1;
    world.says = () => new Error('away');
    expect(await of('a')).toEqual({ verdict: 'unavailable' });
    expect(asked).toHaveLength(3);
  });

  it('holds on while nobody can be asked, but never beyond its end, and not every call asks again', async () => {
    const { world, asked, outcomes, of } = setUp();
    await of('a');
    world.says = () => new Error('away');
    for (const now of [60_000, 64_999, 65_000, 599_999]) {
      world.now = now;
      expect(await of('a')).toMatchObject({ verdict: 'accepted' });
    }
    expect(asked).toHaveLength(4);
    world.now = 600_000;
    expect(await of('a')).toEqual({ verdict: 'unavailable' });
    expect(await of('b')).toEqual({ verdict: 'unavailable' });
    expect(outcomes).toEqual(['accepted', 'unasked', 'unasked', 'unasked', 'unavailable', 'unavailable']);
    world.says = () => YES;
    expect(await of('b')).toMatchObject({ verdict: 'accepted' });
  });

  it('is no more than so much, and strangers drive out nobody who is known', async () => {
    const { world, asked, of } = setUp({ mostKnown: 2, mostRefused: 2 });
    await of('a');
    await of('b');
    world.says = () => NO;
    for (let stranger = 0; stranger < 100; stranger += 1) await of(`stranger ${String(stranger)}`);
    await of('stranger 0');
    expect(asked).toHaveLength(103);
    world.says = () => YES;
    await Promise.all([of('a'), of('b')]);
    expect(asked).toHaveLength(103);
    await of('c');
    await of('a');
    expect(asked.slice(103)).toEqual(['c', 'a']);
  });

  it('is not asked for without bound', async () => {
    const { asked, of } = setUp({ mostAsked: 2 });
    const answers = await Promise.all(['a', 'b', 'c'].map(of));
    expect(answers.map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted', 'unavailable']);
    expect(asked).toEqual(['a', 'b']);
  });
});
