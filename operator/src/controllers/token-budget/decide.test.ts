import { describe, expect, it } from '@jest/globals';
import { TokenBudgetStatusSchema } from '@tollgate/api/schema';
import { ServerFault } from '../../programming/server-fault.ts';
import type { StoredObject } from '../stored-status.ts';
import { aBudgetObject, aBudgetView } from '../testing/objects.ts';
import { decideBudget, WORDS } from './decide.ts';
import { aWorld } from './testing/a-world.ts';
import type { BudgetWorld } from './world.ts';

const condition = (world: BudgetWorld, type: string) =>
  decideBudget(world).status.conditions?.find((each) => each.type === type);

/** By all of its pods, and so many gateways. */
const followed = (gateways: { readonly count: number; readonly onVersion: number }) =>
  aBudgetView({ attached: { pods: 2, onVersion: 2, gateways } });

/** The object as it is after the decision was written. */
const written = (world: BudgetWorld): StoredObject => ({ ...world.object, status: decideBudget(world).status });

describe('the status of a budget', () => {
  it('shows what the server says, in the words of the schema', () => {
    const { status } = decideBudget(aWorld());
    expect(TokenBudgetStatusSchema.parse(status)).toEqual(status);
    expect(status).toMatchObject({
      observedGeneration: 1,
      attachedPods: 2,
      bypassingPods: 0,
      unmeteredRequests: 0,
      summary: { spent: '$0.50', used: '50%' },
      limits: [{ name: 'daily', held: '$0.00' }],
    });
    expect(status.conditions?.map(({ type }) => type)).toEqual([
      'Ready',
      'Accepted',
      'Programmed',
      'Exceeded',
      'StoreAvailable',
    ]);
  });

  it.each([
    ['all attached proxies run it', {}, 'True', 'Programmed'],
    ['no proxy is attached', { view: aBudgetView({ attached: { pods: 0, onVersion: 0 } }) }, 'True', 'Programmed'],
    [
      'some run another version',
      { view: aBudgetView({ attached: { pods: 3, onVersion: 1 } }) },
      'False',
      'PartiallyProgrammed',
    ],
    ['a gateway that follows it runs it', { view: followed({ count: 1, onVersion: 1 }) }, 'True', 'Programmed'],
    [
      'a gateway that follows it runs another version',
      { view: followed({ count: 2, onVersion: 1 }) },
      'False',
      'PartiallyProgrammed',
    ],
    ['pods lack the proxy', { pods: { lacking: 1, direct: 0 } }, 'False', 'PartiallyProgrammed'],
    ['pods call past the proxy', { pods: { lacking: 0, direct: 1 } }, 'False', 'PartiallyProgrammed'],
    [
      'the server has an older generation',
      { takenGeneration: null, view: aBudgetView({ generation: 0 }) },
      'False',
      'Pending',
    ],
    ['the server says itself that it has it', { takenGeneration: null }, 'True', 'Programmed'],
  ] as const)('says of Programmed, when %s', (_when, stated, status, reason) => {
    expect(condition(aWorld(stated), 'Programmed')).toMatchObject({ status, reason });
  });

  it('counts in words how many proxies run this version', () => {
    const view = aBudgetView({ attached: { pods: 3, onVersion: 2 } });
    const pods = { lacking: 2, direct: 1 };
    expect(condition(aWorld({ view, pods }), 'Programmed')?.message).toBe(
      '2 of 3 attached proxies run this version; 2 pods ask for the proxy and lack it (kubectl get events ' +
        '--field-selector reason=ProxyMissing names them; a restart injects it); 1 pod calls providers past its proxy ' +
        '(kubectl get events --field-selector reason=DirectProviderConnection names it).',
    );
    expect(decideBudget(aWorld({ view, pods })).status.bypassingPods).toBe(3);
  });

  it.each([
    [
      'pods and gateways',
      { pods: 3, onVersion: 3, gateways: { count: 2, onVersion: 2 } },
      {},
      'All 3 attached proxies run this version, and 2 of 2 gateways that follow it for their callers.',
    ],
    [
      'gateways alone',
      { pods: 0, onVersion: 0, gateways: { count: 1, onVersion: 0 } },
      {},
      'No pod is attached; 0 of 1 gateways that follow it for their callers run this version.',
    ],
    [
      'a gateway that is behind, beside a pod without',
      { pods: 3, onVersion: 2, gateways: { count: 2, onVersion: 1 } },
      { pods: { lacking: 1, direct: 0 } },
      '2 of 3 attached proxies run this version, and 1 of 2 gateways that follow it for their callers; 1 pod asks for ' +
        'the proxy and lacks it (kubectl get events --field-selector reason=ProxyMissing names it; a restart injects it).',
    ],
    ['none of them', { pods: 0, onVersion: 0 }, {}, 'The server has it; no proxy is attached.'],
  ] as const)('tells of %s that have it', (_who, attached, stated, message) => {
    const world = aWorld({ view: aBudgetView({ attached }), ...stated });
    expect(condition(world, 'Programmed')?.message).toBe(message);
    expect(decideBudget(world).status.attachedPods).toBe(attached.pods);
  });

  it.each([
    ['it holds', {}, 'True', 'Enforcing'],
    ['a gateway runs another version', { view: followed({ count: 1, onVersion: 0 }) }, 'False', 'PartiallyProgrammed'],
    ['it is used up', { view: aBudgetView({ reason: 'Exhausted' }) }, 'True', 'Exhausted'],
    ['pods lack the proxy: where it is attached, it holds', { pods: { lacking: 4, direct: 0 } }, 'True', 'Enforcing'],
    [
      'a proxy runs another version',
      { view: aBudgetView({ attached: { pods: 3, onVersion: 1 } }) },
      'False',
      'PartiallyProgrammed',
    ],
    ['the server does not know this version', { takenGeneration: null, view: null }, 'False', 'Pending'],
    ['the server has not counted it yet', { view: null }, 'False', 'Pending'],
    ['the server is away', { server: new ServerFault(null, 'unreachable', 'no answer') }, 'False', 'ServerUnreachable'],
    [
      'the database is away',
      { server: new ServerFault(503, 'ledger_unavailable', 'no database') },
      'False',
      'DatabaseUnavailable',
    ],
    ['the token is refused', { server: new ServerFault(403, 'forbidden', 'no') }, 'False', 'ServerRefuses'],
    ['nothing was asked yet', { server: 'not asked' }, 'False', 'Unknown'],
  ] as const)('says of Ready, when %s', (_when, stated, status, reason) => {
    expect(condition(aWorld(stated), 'Ready')).toMatchObject({ status, reason });
  });

  it.each([
    [{ lacking: 1, direct: 0 }, '1 pod gets past it: see Programmed.'],
    [{ lacking: 1, direct: 2 }, '3 pods get past it: see Programmed.'],
  ])('says of Ready how many pods get past it: %j', (pods, said) => {
    expect(condition(aWorld({ pods }), 'Ready')?.message).toBe(`Calls that would cross a limit are refused. ${said}`);
  });

  it('names the limit that is used up, and when it resets', () => {
    const view = aBudgetView({ limit: { remaining: 0n, percent: 100, spent: 1_000_000_000n } });
    expect(condition(aWorld({ view }), 'Exceeded')).toMatchObject({
      status: 'True',
      reason: 'LimitReached',
      message: 'Used up: daily (resets 2026-11-22T00:00:00.000Z).',
    });
  });

  it('keeps the last figures while the server says nothing', () => {
    const object = written(aWorld());
    const server = new ServerFault(null, 'unreachable', 'no answer');
    const { status } = decideBudget(aWorld({ object, view: null, server }));
    expect(status).toMatchObject({ summary: { spent: '$0.50' }, asOf: '2026-11-21T12:00:00.000Z', attachedPods: 2 });
    expect(status.conditions?.find(({ type }) => type === 'StoreAvailable')?.status).toBe('False');
  });

  it('says of a budget that is not accepted why, and shows no figures that nobody counts', () => {
    const object = aBudgetObject({
      spec: { namespaceSelector: {}, limits: [{ name: 'a', requests: { max: 1 }, period: 'Day' }] },
    });
    const { status } = decideBudget(aWorld({ object }));
    expect(status.limits).toBeUndefined();
    expect(status.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'NotPermitted' },
      { type: 'Accepted', status: 'False', reason: 'NotPermitted' },
      { type: 'Programmed', status: 'False', reason: 'NotAccepted' },
      { type: 'Exceeded', status: 'Unknown' },
      { type: 'StoreAvailable', status: 'True' },
    ]);
  });
});

describe('how large a change is', () => {
  const standing = (): StoredObject => written(aWorld());

  it.each([
    [
      'nothing, where only time has passed',
      { view: aBudgetView({ asOf: '2026-11-21T12:00:09.000Z' }) },
      { any: false },
    ],
    [
      'drift, where only the pace moved',
      { view: aBudgetView({ summary: { burnPerHour: '$0.09', exhausts: 'in 3h' } }) },
      { any: true, size: 0 },
    ],
    [
      'the share of the limit that moved, where money was spent',
      { view: aBudgetView({ limit: { spent: 600_000_000n, remaining: 400_000_000n, percent: 60 } }) },
      { any: true, size: 100_000 },
    ],
    ['large, where a condition changed', { view: aBudgetView({ reason: 'Exhausted' }) }, { any: true, size: WORDS }],
    [
      'at least 1, where only the top model is another',
      { view: aBudgetView({ summary: { topModel: 'o3' } }) },
      { any: true, size: 1 },
    ],
  ] as const)('%s', (_title, stated, change) => {
    expect(decideBudget(aWorld({ object: standing(), ...stated })).change).toEqual(change);
  });

  it('is none for what was just written', () => {
    expect(decideBudget(aWorld({ object: standing() })).change).toEqual({ any: false });
  });
});
