import { describe, expect, it } from '@jest/globals';
import type { Snapshot } from '@tollgate/api';
import {
  LedgerRefused,
  LedgerUnavailable,
  UNKNOWN_POD,
  type HelloRequest,
  type RunningRequest,
  type FollowedPolicy,
} from '@tollgate/ledger';
import type { Logger } from '@tollgate/runtime';
import { keepInTouch, type ControlPlane } from './control-plane.ts';
import { makePolicyFeed } from './policy/policy-feed.ts';
import { aSnapshot } from './testing/objects.ts';

const SUBJECT = { namespace: 'shop', workload: 'web', labels: {}, team: 'shop' };

const setUp = () => {
  const hellos: HelloRequest[] = [];
  const said: string[] = [];
  const found: (RunningRequest['direct'] | null)[] = [];
  const callersSaid: unknown[] = [];
  const lines: string[] = [];
  const due: { readonly ms: number; readonly act: () => void }[] = [];
  let onSnapshot: ((snapshot: Snapshot) => void) | null = null;
  let onEpoch: ((epoch: string) => void) | undefined;
  const world: {
    hello: Error | null;
    running: Error | null;
    direct: NonNullable<RunningRequest['direct']> | null;
    callers: readonly FollowedPolicy[] | null;
  } = { hello: null, running: null, direct: null, callers: null };
  const write =
    (level: string) =>
    (_fields: object, message: string): void =>
      void lines.push(`${level} ${message}`);
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: () => logger,
  };
  const unasked = (): Promise<never> => Promise.reject(new Error('not asked here'));
  const controlPlane: ControlPlane = {
    hello: async (request) => {
      hellos.push(request);
      await Promise.resolve();
      if (world.hello) throw world.hello;
      return { organisation: 'o', epoch: 'e', subject: SUBJECT, liveProxies: 1, ledgerTimeMs: 0 };
    },
    running: async (request) => {
      said.push(request.snapshot);
      found.push(request.direct ?? null);
      callersSaid.push(request.callers ?? null);
      await Promise.resolve();
      if (world.running) throw world.running;
    },
    watchSnapshots: (watch) => {
      ({ onSnapshot, onEpoch } = watch);
      return new Promise(() => undefined);
    },
    reviewCaller: unasked,
    acquire: unasked,
    giveBack: unasked,
    ship: unasked,
    closeEpoch: unasked,
  };
  const touch = keepInTouch({
    controlPlane,
    escrow: {
      enterEpoch: () => undefined,
      recall: () => undefined,
      setOverdrafts: () => undefined,
      setPeers: () => undefined,
    },
    feed: makePolicyFeed({ waitMs: 1_000, maxAgeMs: 1_000, clock: () => 0 }),
    instance: 'i',
    version: '1',
    subject: SUBJECT,
    degraded: () => [],
    direct: () => world.direct,
    callers: () => world.callers,
    logger,
    timers: {
      after: (ms, act) => {
        due.push({ ms, act });
        return () => undefined;
      },
    },
    random: () => 0,
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
  };
  return {
    touch,
    world,
    hellos,
    said,
    found,
    callersSaid,
    lines,
    settle,
    ping: (epoch: string) => onEpoch?.(epoch),
    send: (version: string) => onSnapshot?.({ ...aSnapshot(), version }),
    /** The timer that is due; how long it waited. */
    tick: async (): Promise<number | undefined> => {
      const next = due.shift();
      next?.act();
      await settle();
      return next?.ms;
    },
  };
};

describe('a proxy that has nothing to ask for', () => {
  it('greets again when it hears of a new epoch, so that the former can close, and once for each', async () => {
    const { hellos, settle, ping } = setUp();
    await settle();
    ping('e');
    await settle();
    expect(hellos).toHaveLength(1);
    for (const epoch of ['f', 'e', 'f']) {
      ping(epoch);
      await settle();
    }
    expect(hellos).toHaveLength(2);
  });
});

describe('a proxy whose pod is not known yet', () => {
  it('asks again every second, says so once, and is not taken for one that lost its control plane', async () => {
    const { world, hellos, lines, settle, tick } = setUp();
    world.hello = new LedgerRefused('/v1/hello: not yet', 409, UNKNOWN_POD);
    await settle();
    for (let times = 0; times < 5; times += 1) expect(await tick()).toBe(1_000);
    expect(hellos).toHaveLength(6);
    expect(lines).toEqual(['info waiting until the control plane knows this pod']);
    world.hello = null;
    await tick();
    expect(lines).toHaveLength(1);
    expect(await tick()).toBeUndefined();
  });

  it('says what else is the matter when it is something else', async () => {
    const { world, lines, settle, tick } = setUp();
    world.hello = new LedgerRefused('/v1/hello: not yet', 409, UNKNOWN_POD);
    await settle();
    world.hello = new LedgerUnavailable('gone');
    await tick();
    expect(await tick()).toBe(50);
    expect(lines.at(-1)).toBe('warn control plane cannot be reached');
  });
});

describe('a proxy that took a policy over', () => {
  it('says which it runs, once, and with every greeting after it', async () => {
    const { touch, hellos, said, settle, send } = setUp();
    await settle();
    expect(hellos[0]).not.toHaveProperty('snapshot');
    send('v1');
    send('v1');
    await settle();
    expect(said).toEqual(['v1']);
    touch.tell();
    await settle();
    expect(hellos.at(-1)).toMatchObject({ snapshot: 'v1' });
  });

  it('says the last of several, and not each of them late', async () => {
    const { said, settle, send } = setUp();
    await settle();
    send('v1');
    send('v2');
    send('v3');
    await settle();
    expect(said).toEqual(['v1', 'v3']);
  });

  it('says it again while the control plane is away, some times, and then leaves it to the next greeting', async () => {
    const { world, said, settle, send, tick } = setUp();
    await settle();
    world.running = new LedgerUnavailable('gone');
    send('v1');
    await settle();
    for (let times = 0; times < 10; times += 1) await tick();
    expect(said).toEqual(['v1', 'v1', 'v1', 'v1', 'v1']);
    world.running = null;
    send('v2');
    await settle();
    expect(said.at(-1)).toBe('v2');
  });

  it('does not insist where the server knows no such question', async () => {
    const { world, said, settle, send, tick } = setUp();
    await settle();
    world.running = new LedgerRefused('/v1/running: nothing is served', 404, 'not_found');
    send('v1');
    await settle();
    expect(await tick()).toBeUndefined();
    expect(said).toEqual(['v1']);
  });
});

describe('a proxy that finds connections past it', () => {
  const OPENAI = { host: 'api.openai.com', count: 2 };

  it('says nothing of them where it does not look, and with what it runs where it does', async () => {
    const { settle, send, said, found, world, touch } = setUp();
    await settle();
    send('v1');
    await settle();
    expect(found).toEqual([null]);
    world.direct = [];
    touch.tellDirect();
    await settle();
    world.direct = [OPENAI];
    touch.tellDirect();
    await settle();
    expect({ said, found }).toEqual({ said: ['v1', 'v1', 'v1'], found: [null, [], [OPENAI]] });
  });

  it('says so again to a server that it greets anew', async () => {
    const { settle, ping, hellos, world } = setUp();
    world.direct = [OPENAI];
    await settle();
    ping('f');
    await settle();
    expect(hellos.at(-1)?.direct).toEqual([OPENAI]);
  });
});

describe('a gateway', () => {
  const follows = (snapshot: string): FollowedPolicy => ({
    caller: { namespace: 'shop', serviceAccount: 'ci', pod: { name: 'web-1', uid: 'u1' } },
    snapshot,
  });

  it('says by whose policies it decides, that there are none at first, and again to a server that it greets anew', async () => {
    const { world, touch, callersSaid, settle, send, tick, ping } = setUp();
    world.callers = [];
    await settle();
    send('v1');
    await settle();
    expect(callersSaid).toEqual([[]]);
    await tick();
    world.callers = [follows('one')];
    touch.tellCallers();
    await settle();
    expect(callersSaid.slice(1)).toEqual([[follows('one')]]);
    await tick();
    ping('f');
    await settle();
    expect(callersSaid.slice(2)).toEqual([[follows('one')]]);
  });

  it('says what changes in quick succession with the next of its lists, which are not many a second', async () => {
    const { world, touch, callersSaid, settle, send, tick } = setUp();
    world.callers = [];
    await settle();
    send('v1');
    await settle();
    for (const version of ['one', 'two', 'three']) {
      world.callers = [follows(version)];
      touch.tellCallers();
      await settle();
    }
    expect(callersSaid).toEqual([[]]);
    expect(await tick()).toBe(500);
    expect(callersSaid).toEqual([[], [follows('three')]]);
    await tick();
    expect(await tick()).toBeUndefined();
    expect(callersSaid).toHaveLength(2);
  });
});
