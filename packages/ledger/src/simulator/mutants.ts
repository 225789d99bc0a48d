/** Ways in which the chain could be wrong, each built by wrapping what production code is handed. The oracle finds every one. */
import { isOpenHold } from '../escrow/hold.ts';
import type { LedgerEvent } from '../event.ts';
import type { BlockAnswer, PoolReturn } from '../pool/block-source.ts';
import type { MemoryBlockSource } from '../pool/memory-block-source.ts';
import { counterKey } from '../counter.ts';
import type { Spool } from '../spool/spool.ts';
import { UNBROKEN, type Mutation } from './mutation.ts';

const mutant = (more: Partial<Mutation>): Mutation => ({ ...UNBROKEN, ...more });

/** The attempt is sent though its hold takes nothing from a lease. */
const skippedHold = mutant({
  escrow: (escrow) => ({
    ...escrow,
    openHold: (request) =>
      escrow.openHold({ ...request, needs: request.needs.map((need) => ({ ...need, amount: 0n })) }),
  }),
});

/** What a hold did not use is given back to its lease a second time. */
const doubleSettle = mutant({
  afterSettle: (hold, { counterCharge }) => {
    if (!isOpenHold(hold)) return;
    for (const { need, lease } of hold.legs) {
      const grant = lease?.grants.at(-1);
      const rest = need.amount - counterCharge(need);
      if (!lease || !grant || rest <= 0n) continue;
      lease.balance += rest;
      grant.amount += rest;
    }
  },
});

/** A caller that hangs up pays nothing. */
const freeAbort = mutant({
  settlement: (settlement) =>
    settlement.settle === 'abandoned' ? { ...settlement, charged: 0n, counterCharge: () => 0n } : settlement,
});

/** A charge goes to the window in which the attempt ends. */
const wrongWindow = (): Mutation => {
  const latest = new Map<string, { id: string; start: number }>();
  const windowed = (event: LedgerEvent): LedgerEvent => ({
    ...event,
    counters: event.counters.map((counter) => {
      const { id } = latest.get(counterKey(counter)) ?? { id: counter.windowId };
      return counter.windowId === '' ? counter : { ...counter, windowId: id };
    }),
  });
  return mutant({
    port: (port) => ({
      ...port,
      acquire: async (request) => {
        const result = await port.acquire(request);
        if (result.granted) for (const grant of result.grants) latest.set(counterKey(grant), grant.window);
        return result;
      },
    }),
    spool: (spool) => ({
      ...spool,
      settle: (event) => {
        spool.settle(windowed(event));
      },
    }),
  });
};

/** An intent that was open when the process died is not read again. */
const lostRecord = mutant({
  spool: (spool) => {
    for (const life of spool.lives.values()) life.open.clear();
    return spool;
  },
});

/** The attempt is sent before its intent is written. */
const noIntent = mutant({ spool: (spool: Spool) => ({ ...spool, intent: () => undefined }) });

/** What a hold did not use is spent again before the settlement is written. */
const noSettlement = mutant({ spool: (spool: Spool) => ({ ...spool, settle: () => undefined }) });

/** The server says that it has a batch before Postgres has it. */
const ackBeforeCommit = mutant({
  commit: (client, batch) => {
    client.commit(batch).catch(() => undefined);
    return Promise.resolve([]);
  },
});

/** A sealed epoch is refunded at once, though some still hold leases of it. */
const noWait = mutant({
  source: (source) => {
    const rests = makeRests(source);
    return {
      ...rests.source,
      shared: {
        ...source.shared,
        succeed: async (step) => {
          const next = await source.shared.succeed(step);
          const { previous } = step;
          if (next.made && previous !== null) await source.refund(previous, `early ${previous}`, rests.of(previous));
          return next;
        },
      },
    };
  },
});

/** A new epoch begins with the blocks of the one before it. */
const reload = mutant({
  source: (source) => {
    const rests = makeRests(source);
    const loaded = new Set<PoolReturn>();
    let last = '';
    return {
      ...rests.source,
      shared: {
        ...source.shared,
        succeed: (step) => {
          last = step.previous ?? '';
          return source.shared.succeed(step);
        },
      },
      allocate: async (request) => {
        const { terms, short } = request;
        const old = rests
          .of(last)
          .find((rest) => counterKey(rest) === counterKey(terms) && rest.windowId === terms.window.id);
        if (!old || old.amount < short || loaded.has(old)) return rests.source.allocate(request);
        loaded.add(old);
        const block = { id: `old ${last} ${counterKey(old)} ${old.windowId}`, amount: old.amount };
        const answer: BlockAnswer = { kind: 'blocks', blocks: [block], free: 0n };
        return answer;
      },
    };
  },
});

/** A batch that comes again is counted again. */
const countsTwice = mutant({
  commit: async (client, batch) => {
    const charges = await client.commit(batch);
    if (charges.length === 0) await client.chargeAgain(batch);
    return charges;
  },
});

export const MUTANTS: Readonly<Record<string, () => Mutation>> = {
  'skipped hold': () => skippedHold,
  'double settle': () => doubleSettle,
  'free abort': () => freeAbort,
  'wrong window': wrongWindow,
  'lost spool record': () => lostRecord,
  'sent before its intent is written': () => noIntent,
  'released before its settlement is written': () => noSettlement,
  'acknowledged before commit': () => ackBeforeCommit,
  'counted again when it comes again': () => countsTwice,
  'no fence': () => mutant({ weakened: { fence: true } }),
  'no mirror': () => mutant({ weakened: { mirror: true } }),
  'no end to what a limit that was lowered had lent': () => mutant({ weakened: { lowered: true } }),
  'no wait before refund': () => noWait,
  'old blocks loaded again': () => reload,
};

/** What is out of each epoch by its blocks, less what came back and what was settled. */
const makeRests = (source: MemoryBlockSource) => {
  const byEpoch = new Map<string, Map<string, PoolReturn>>();
  const seen = new Set<string>();
  const add = (epoch: string, { budget, limit, partition, windowId, amount }: PoolReturn): void => {
    const rests = byEpoch.get(epoch) ?? new Map<string, PoolReturn>();
    byEpoch.set(epoch, rests);
    const key = `${counterKey({ budget, limit, partition })} ${windowId}`;
    rests.set(key, { budget, limit, partition, windowId, amount: (rests.get(key)?.amount ?? 0n) + amount });
  };
  const watched: MemoryBlockSource = {
    ...source,
    allocate: async (request) => {
      const answer = await source.allocate(request);
      const { terms, epoch } = request;
      for (const block of answer.kind === 'blocks' ? answer.blocks : []) {
        if (!seen.has(block.id)) add(epoch, { ...terms, windowId: terms.window.id, amount: block.amount });
        seen.add(block.id);
      }
      return answer;
    },
    refund: (epoch, id, returns) => {
      for (const back of returns) add(epoch, { ...back, amount: -back.amount });
      return source.refund(epoch, id, returns);
    },
    settle: (charges) => {
      for (const charge of charges) add(charge.epoch, { ...charge, amount: -charge.charged });
      source.settle(charges);
    },
  };
  return {
    source: watched,
    of: (epoch: string): readonly PoolReturn[] =>
      [...(byEpoch.get(epoch)?.values() ?? [])].filter(({ amount }) => amount > 0n),
  };
};
