import { afterEach, describe, expect, it } from '@jest/globals';
import type { Snapshot } from '@tollgate/api';
import type { CallerName } from '@tollgate/ledger';
import { makePolicyFeed } from '../policy/policy-feed.ts';
import { aSnapshot, aSnapshotBudget } from '../testing/objects.ts';
import { makeCallerPolicies, type CallerPolicies } from './caller-policies.ts';

const CI: CallerName = { namespace: 'shop', serviceAccount: 'ci', pod: null };
const POD: CallerName = { namespace: 'shop', serviceAccount: 'ci', pod: { name: 'web-1', uid: 'u1' } };
const BOT: CallerName = { namespace: 'bank', serviceAccount: 'bot', pod: null };

const opened: CallerPolicies[] = [];
afterEach(() => {
  for (const policies of opened.splice(0)) policies.close();
});

const setUp = (most = 1_000) => {
  const world = { now: 0 };
  const watches: {
    readonly caller: CallerName | undefined;
    readonly signal: AbortSignal;
    send(snapshot: Snapshot): void;
  }[] = [];
  const lent: [string, readonly string[]][] = [];
  const followed: string[] = [];
  const due: (() => void)[] = [];
  const policies = makeCallerPolicies({
    controlPlane: {
      watchSnapshots: ({ caller, signal, onSnapshot }) => {
        watches.push({ caller, signal, send: onSnapshot });
        return new Promise(() => undefined);
      },
    },
    instance: 'gateway',
    makeFeed: () => makePolicyFeed({ waitMs: 1_000, maxAgeMs: 30_000, clock: () => world.now }),
    onOverdrafts: (key, terms) => lent.push([key, terms.map(({ budget }) => budget)]),
    onFollowed: () => {
      const now = policies
        .followed()
        .map(({ caller, snapshot }) => `${caller.namespace}/${caller.pod?.name ?? ''} ${snapshot}`);
      followed.push(now.join());
    },
    clock: () => world.now,
    timers: {
      after: (_ms, act) => {
        due.push(act);
        return () => undefined;
      },
    },
    most,
  });
  opened.push(policies);
  return { world, watches, lent, followed, policies, sweep: () => due.shift()?.() };
};

describe("callers' policies", () => {
  it('are each followed once, whatever tokens the caller has, and apart for each pod', () => {
    const { policies, watches } = setUp();
    expect(policies.of(CI)).toBe(policies.of({ ...CI }));
    expect(policies.of(POD)).not.toBe(policies.of(CI));
    policies.of(BOT);
    expect(watches.map(({ caller }) => caller)).toEqual([CI, POD, BOT]);
    expect(policies.count()).toBe(3);
  });

  it('are the snapshot of that caller, waited for by its first call', async () => {
    const { policies, watches } = setUp();
    const early = policies.of(CI).current();
    watches[0]?.send(aSnapshot({ version: 'one' }));
    expect(await early).toMatchObject({ book: { version: 'one' } });
    watches[0]?.send(aSnapshot({ version: 'two' }));
    expect(policies.of(CI).current()).toMatchObject({ book: { version: 'two' } });
  });

  it('are told of with the version that is in force, once they have one, whenever that changes and until they are let go', () => {
    const { world, policies, watches, followed, sweep } = setUp();
    policies.of(CI);
    policies.of(POD);
    expect([followed, policies.followed()]).toEqual([[], []]);
    watches[1]?.send(aSnapshot({ version: 'one' }));
    watches[0]?.send(aSnapshot({ version: 'two' }));
    watches[0]?.send(aSnapshot({ version: 'two' }));
    watches[0]?.send(aSnapshot({ version: 'three' }));
    expect(followed).toEqual(['shop/web-1 one', 'shop/ two,shop/web-1 one', 'shop/ three,shop/web-1 one']);
    world.now = 600_000;
    void policies.of(CI).current();
    sweep();
    expect(followed.at(-1)).toBe('shop/ three');
  });

  it('keep prices once, which are the same for all', () => {
    const { policies, watches } = setUp();
    const sent = aSnapshot();
    policies.of(CI);
    policies.of(BOT);
    watches[0]?.send(sent);
    watches[1]?.send(JSON.parse(JSON.stringify({ ...sent, version: 'other' })) as Snapshot);
    const tables = [CI, BOT].map((caller) => {
      const ready = policies.of(caller).current();
      return ready instanceof Promise ? null : ready.book.prices;
    });
    expect(tables[0]).not.toBeNull();
    expect(tables[0]).toBe(tables[1]);
  });

  it('are let go after ten minutes without a call, overdraft and all, and begun anew by the next', () => {
    const { world, policies, watches, lent, sweep } = setUp();
    const overdraft = { amount: '5', maxDurationSeconds: 60 };
    const policy = policies.of(CI);
    policies.of(BOT);
    watches[0]?.send(aSnapshot({ budgets: [aSnapshotBudget({ overdraft })] }));
    expect(lent.at(-1)?.[1]).toHaveLength(1);
    world.now = 599_999;
    void policies.of(BOT).current();
    world.now = 600_000;
    sweep();
    expect([policy.isOpen(), policies.of(BOT).isOpen()]).toEqual([false, true]);
    expect([watches[0]?.signal.aborted, watches[1]?.signal.aborted]).toEqual([true, false]);
    expect(lent.at(-1)).toEqual([lent[0]?.[0], []]);
    watches[0]?.send(aSnapshot({ budgets: [aSnapshotBudget({ overdraft })] }));
    expect(lent.at(-1)?.[1]).toEqual([]);
    expect(policies.of(CI)).not.toBe(policy);
    expect(watches).toHaveLength(3);
  });

  it('make room for one more by letting go of who called longest ago', () => {
    const { world, policies, watches } = setUp(2);
    const first = policies.of(CI);
    world.now = 1;
    const second = policies.of(POD);
    world.now = 2;
    void first.current();
    policies.of(BOT);
    expect([first.isOpen(), second.isOpen(), policies.count()]).toEqual([true, false, 2]);
    expect(watches[1]?.signal.aborted).toBe(true);
  });
});
