/** One call, from its hold to its end, as the plan has it. What the provider bills does not hang on whether anybody hears. */
import { isOpenHold, type Hold, type HoldNeed, type Settlement } from '../escrow/hold.ts';
import type { EventHead } from '../intent.ts';
import { LedgerUnavailable } from '../lease-port.ts';
import { SpoolFault } from '../spool/spool-fault.ts';
import { EscrowClosed } from '../escrow/escrow-closed.ts';
import type { LimitUnit } from '@tollgate/api';
import type { Limits } from './limits.ts';
import type { Mutation } from './mutation.ts';
import type { BilledCounter, Provider } from './provider.ts';
import type { SimulatedProxy } from './proxy.ts';
import type { CallPlan } from './schedule.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface CallDeps {
  readonly time: VirtualTime;
  readonly limits: Limits;
  readonly provider: Provider;
  readonly mutation: Mutation;
  readonly counts: CallCounts;
}

export interface CallCounts {
  /** Of a proxy that ran. */
  asked: number;
  held: number;
  refused: number;
  /** No answer from the ledger, no room on the disk, or the proxy was on its way out. */
  failed: number;
}

/** What an attempt uses, or may use at most, by unit. */
type Amounts = Readonly<Record<LimitUnit, bigint>>;

export const makeCall = ({ time, limits, provider, mutation, counts }: CallDeps) => {
  const needsOf = (plan: CallPlan, bound: Amounts): readonly HoldNeed[] => {
    return plan.limits.flatMap((index) => {
      const limit = limits.all[index];
      const max = limit ? limits.maxOf(limit) : null;
      if (!limit || max === null) return [];
      const { budget, limit: line, unit, isPartitioned } = limit;
      const partition = isPartitioned ? plan.partition : '';
      return [{ budget, limit: line, partition, unit, count: 'Total', amount: bound[unit], max }];
    });
  };

  /** To the end of the attempt at the provider; the proxy may be gone by then. */
  const attempt = async (instance: string, hold: Hold, plan: CallPlan): Promise<void> => {
    await pause(time, plan.billedAfterMs);
    provider.bill({ instance, seq: hold.seq, cost: usedOf(plan).cost, counters: billedOf(hold, plan) });
    await pause(time, plan.endsAfterMs);
  };

  return async function call(proxy: SimulatedProxy, plan: CallPlan): Promise<void> {
    const running = proxy.current();
    if (!running) return;
    const { escrow, life, instance } = running;
    counts.asked += 1;
    await life.running();
    try {
      const needs = needsOf(plan, boundOf(plan));
      const least = leastOf(plan);
      const tighter = { held: least.cost, needs: needsOf(plan, least) };
      let isTight = false;
      const accepted = (): void => {
        isTight = true;
      };
      const canCount = plan.tight !== null && !plan.isSoft;
      const result = await escrow.openHold({
        needs: plan.isSoft ? [] : needs,
        audit: [],
        soft: plan.isSoft ? needs : [],
        waitMs: plan.waitMs,
        head: headOf(plan, proxy.wallClock()),
        ...(canCount && {
          tighten: () => Promise.resolve(tighter),
          tightenOpen: () => Promise.resolve({ ...tighter, accepted }),
        }),
      });
      if (!life.isAlive()) return;
      if (!result.held) {
        counts.refused += 1;
        return;
      }
      counts.held += 1;
      isTight = result.hold.head.held < BigInt(plan.nanos);
      await attempt(instance, result.hold, plan);
      await life.running();
      const settlement = mutation.settlement(settlementOf(plan, isTight ? least : boundOf(plan)));
      escrow.settle(result.hold, settlement);
      mutation.afterSettle(result.hold, settlement);
    } catch (fault) {
      // What a dead process still throws is nobody's.
      if (!life.isAlive()) return;
      const isRefusal = [LedgerUnavailable, SpoolFault, EscrowClosed].some((kind) => fault instanceof kind);
      if (!isRefusal) throw fault;
      counts.failed += 1;
    }
  };
};

const pause = (time: VirtualTime, ms: number): Promise<void> =>
  new Promise((resolve) => void time.timers.after(ms, resolve));

const boundOf = ({ nanos, tokens }: CallPlan): Amounts => ({
  cost: BigInt(nanos),
  tokens: BigInt(tokens),
  requests: 1n,
});

/** What the attempt can cost at most by an exact count. */
const leastOf = (plan: CallPlan): Amounts => {
  const of = (bound: number): bigint => BigInt(Math.ceil((bound * (plan.tight ?? 1_000)) / 1_000));
  return { cost: of(plan.nanos), tokens: of(plan.tokens), requests: 1n };
};

const usedOf = ({ nanos, tokens, share, ending }: CallPlan): Amounts => {
  const of = (bound: number): bigint => BigInt(ending === 'void' ? 0 : Math.floor((bound * share) / 1_000));
  return { cost: of(nanos), tokens: of(tokens), requests: ending === 'void' ? 0n : 1n };
};

const settlementOf = (plan: CallPlan, bound: Amounts): Settlement => {
  const used = usedOf(plan);
  const charged = (unit: LimitUnit): bigint => {
    const most = used[unit] > bound[unit] ? used[unit] : bound[unit];
    if (plan.ending === 'unknown') return most;
    // The caller left: what was delivered, and a margin.
    if (plan.ending === 'abandoned') return (used[unit] + most + 1n) / 2n;
    return used[unit];
  };
  return {
    settle: plan.ending === 'unknown' ? 'hold' : plan.ending,
    charged: charged('cost'),
    counterCharge: ({ unit }) => charged(unit),
    modelAnswered: null,
    usage: {},
    status: 200,
  };
};

const billedOf = (hold: Hold, plan: CallPlan): readonly BilledCounter[] =>
  isOpenHold(hold)
    ? hold.legs.map(({ need: { budget, limit, partition, unit, amount }, lease }) => ({
        budget,
        limit,
        partition,
        held: amount,
        windowId: lease?.windowId ?? '',
        epoch: lease?.epoch ?? '',
        used: usedOf(plan)[unit],
        bound: leastOf(plan)[unit],
        isHard: !plan.isSoft,
      }))
    : [];

const headOf = ({ nanos }: CallPlan, now: number): EventHead => ({
  requestId: `tg-${String(now)}`,
  attempt: 1,
  subject: { namespace: 'sim', workload: 'sim', labels: {}, team: 'sim' },
  user: null,
  promptId: null,
  promptVersion: null,
  route: null,
  backend: null,
  provider: 'sim',
  format: 'sim',
  modelAsked: null,
  modelSent: null,
  held: BigInt(nanos),
  priceVersion: null,
  priceRow: null,
  unproven: false,
  stream: false,
  startedAt: Math.floor(now),
});
