import { describe, expect, it } from '@jest/globals';
import type { TokenBudget } from '@tollgate/api';
import type { Admission } from '../../programming/admitted-manifest.ts';
import { ServerFault } from '../../programming/server-fault.ts';
import { aBudgetObject, aBudgetView, NOW } from '../testing/objects.ts';
import { makeTaking } from './taking.ts';
import { aWorld } from './testing/a-world.ts';
import type { BudgetWorld } from './world.ts';

/** The server has not taken it yet. */
const aNewOne = (stated: Partial<BudgetWorld> = {}): BudgetWorld =>
  aWorld({ view: null, takenGeneration: null, ...stated });

describe('a budget that was just written', () => {
  it('says nothing for five seconds, in which the server takes it', () => {
    const taking = makeTaking();
    expect(taking.restMs('a', aNewOne())).toBe(5_000);
    expect(taking.restMs('a', aNewOne({ now: NOW + 400 }))).toBe(4_600);
    expect(taking.restMs('a', aNewOne({ now: NOW + 500, takenGeneration: 1, view: aBudgetView() }))).toBe(0);
  });

  it('waits as long for the figures of the new version', () => {
    const taken = aNewOne({ object: aBudgetObject({ generation: 2 }), takenGeneration: 2 });
    const taking = makeTaking();
    expect(taking.restMs('a', { ...taken, view: aBudgetView({ generation: 1 }) })).toBe(5_000);
    expect(taking.restMs('a', { ...taken, view: aBudgetView({ generation: 2 }), now: NOW + 100 })).toBe(0);
  });

  it('says after that what is so', () => {
    const taking = makeTaking();
    taking.restMs('a', aNewOne());
    expect(taking.restMs('a', aNewOne({ now: NOW + 4_999 }))).toBe(1);
    expect(taking.restMs('a', aNewOne({ now: NOW + 5_000 }))).toBe(0);
  });

  it('has as long anew with each generation, and when it is made again', () => {
    const taking = makeTaking();
    taking.restMs('a', aNewOne());
    const edited = aNewOne({ object: aBudgetObject({ generation: 2 }), takenGeneration: 1, now: NOW + 6_000 });
    expect(taking.restMs('a', edited)).toBe(5_000);
    taking.forget('a');
    expect(taking.restMs('a', { ...edited, now: NOW + 9_000 })).toBe(5_000);
  });

  it.each([
    ['it is refused', { admission: { accepted: false, reason: 'Invalid', message: 'no' } as Admission<TokenBudget> }],
    ['the server is away', { server: new ServerFault(null, 'unreachable', 'no answer') }],
  ])('is answered at once where %s', (_why, stated) => {
    expect(makeTaking().restMs('a', aNewOne(stated))).toBe(0);
  });
});
