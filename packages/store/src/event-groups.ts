import { inputTokens, outputTokens } from '@tollgate/metering';
import type { EventsRequest, LedgerEvent } from '@tollgate/ledger';
import { eventConflict } from './event-conflict.ts';
import { bodyHash } from './body-hash.ts';

/**
 * A batch sorted by what its events have in common: hundreds of them are of few kinds, and all that is looked up,
 * written or summed is so once a kind and not once an event.
 */
export interface EventGroup {
  /** One of them: all but the members' own fields is the same in all. */
  readonly sample: LedgerEvent;
  readonly members: readonly Member[];
}

export interface Member {
  readonly event: LedgerEvent;
  readonly bodyHash: string;
}

/** Throws where the batch has one id with two bodies. */
export const groupEvents = ({ events }: EventsRequest): readonly EventGroup[] => {
  const groups = new Map<string, { sample: LedgerEvent; members: Member[] }>();
  const seen = new Map<number, string>();
  for (const event of events) {
    const member = { event, bodyHash: bodyHash(event) };
    const other = seen.get(event.seq);
    if (other !== undefined) {
      if (other !== member.bodyHash) throw eventConflict([event.seq]);
      continue;
    }
    seen.set(event.seq, member.bodyHash);
    const key = commonKey(event);
    const group = groups.get(key);
    if (group) group.members.push(member);
    else groups.set(key, { sample: event, members: [member] });
  }
  return [...groups.values()];
};

/** Values alone: a third of the time that their names would take. */
const commonKey = (event: LedgerEvent): string =>
  JSON.stringify([
    event.attempt,
    event.subject,
    event.promptId,
    event.promptVersion,
    event.route,
    event.backend,
    event.provider,
    event.format,
    event.modelAsked,
    event.modelSent,
    event.modelAnswered,
    event.settle,
    event.priceVersion,
    event.priceRow,
    event.unproven,
    event.stream,
    event.status,
    event.counters.map(({ budget, limit, partition, windowId, epoch, wouldRefuse }) => [
      budget,
      limit,
      partition,
      windowId,
      epoch,
      wouldRefuse === true,
    ]),
  ]);

/** What members add to any roll-up that their group belongs to. */
export interface Gain {
  readonly calls: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  /** Nano-USD. */
  readonly charged: bigint;
  /** In each counter's own unit, in the order of the sample's counters. */
  readonly byCounter: readonly bigint[];
}

export const gainOf = (members: readonly Member[]): Gain => {
  let input = 0n;
  let output = 0n;
  let charged = 0n;
  const byCounter = (members[0]?.event.counters ?? []).map(() => 0n);
  for (const { event } of members) {
    input += BigInt(inputTokens(event.usage));
    output += BigInt(outputTokens(event.usage));
    charged += event.charged;
    event.counters.forEach((counter, n) => {
      byCounter[n] = (byCounter[n] ?? 0n) + counter.charged;
    });
  }
  return { calls: BigInt(members.length), inputTokens: input, outputTokens: output, charged, byCounter };
};

/** The model that a report names: what was sent, since an answer often names a dated version of it. */
export const modelOf = (event: Pick<LedgerEvent, 'modelAnswered' | 'modelSent' | 'modelAsked'>): string =>
  event.modelSent ?? event.modelAsked ?? event.modelAnswered ?? '';
