import { describe, expect, it } from '@jest/globals';
import { makeLedgerClock } from './ledger-clock.ts';

describe('the ledger clock', () => {
  it('is the clock of this process until the state tells another time, and then goes on from that', () => {
    let now = 1_000;
    const clock = makeLedgerClock({ clock: () => now });
    expect(clock.now()).toBe(1_000);
    clock.heard(5_000);
    now += 10;
    expect(clock.now()).toBe(5_010);
    clock.heard(4_990);
    expect(clock.now()).toBe(4_990);
  });
});
