/**
 * What outlives every server: blocks, epochs, instances and events, as Postgres keeps them, with Postgres's faults. Each
 * operation is one transaction: it happens whole, or not at all, and its answer may be lost either way.
 */
import type { LedgerEvent } from '../event.ts';
import { LedgerUnavailable } from '../lease-port.ts';
import type { BlockSource, ChargedInEpoch, CounterTerms } from '../pool/block-source.ts';
import { LedgerRequestError } from '../pool/ledger-request-error.ts';
import type { MemoryBlockSource } from '../pool/memory-block-source.ts';
import type { PoolCharge } from '../pool/pool.ts';
import type { CloseRequest } from '../session.ts';
import { encodeEvent } from '../wire/event-wire.ts';
import type { ProcessLife } from './life.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SimulatedPostgres {
  /** By `eventKey`. */
  readonly events: ReadonlyMap<string, LedgerEvent>;
  readonly faults: PostgresFaults;
  /** One server's connection; nothing comes back through it once the server is dead. */
  connect(life: ProcessLife): PostgresClient;
}

export interface PostgresFaults {
  isStopped: boolean;
  delayMs: number;
  /** Of so many transactions yet, the answer is lost after their commit. */
  answersToLose: number;
  /** Servers that die as soon as a block of theirs is written down. */
  readonly dieAtBlock: Set<ProcessLife>;
}

export interface PostgresClient {
  readonly source: BlockSource;
  register(instance: string): Promise<void>;
  /** The charges of what was not known before. */
  commit(batch: readonly LedgerEvent[]): Promise<readonly PoolCharge[]>;
  /** For a mutant: what a commit does that does not look whether it knows the events. */
  chargeAgain(batch: readonly LedgerEvent[]): Promise<void>;
  close(request: CloseRequest): Promise<readonly ChargedInEpoch[]>;
}

export interface PostgresDeps {
  readonly time: VirtualTime;
  readonly source: MemoryBlockSource;
  readonly onBlock: (terms: CounterTerms) => void;
  /** This epoch is current now. */
  readonly onEpoch: (epoch: string) => void;
  readonly onCommit: (events: readonly LedgerEvent[]) => void;
}

export const eventKey = ({ instance, seq }: { readonly instance: string; readonly seq: number }): string =>
  `${instance} ${String(seq)}`;

export const makeSimulatedPostgres = ({
  time,
  source,
  onBlock,
  onEpoch,
  onCommit,
}: PostgresDeps): SimulatedPostgres => {
  const { shared } = source;
  const events = new Map<string, LedgerEvent>();
  /** By instance: every event up to this one was there when looked at. None ever goes. */
  const wholeUpTo = new Map<string, number>();
  const faults: PostgresFaults = { isStopped: false, delayMs: 0, answersToLose: 0, dieAtBlock: new Set() };

  const commit = (batch: readonly LedgerEvent[]): readonly PoolCharge[] => {
    const fresh: LedgerEvent[] = [];
    for (const event of batch) {
      const known = events.get(eventKey(event));
      if (!known) fresh.push(event);
      else if (encodeEvent(known) !== encodeEvent(event))
        throw new LedgerRequestError('event_conflict', `${eventKey(event)} is stored with another body`);
    }
    const charges = fresh.flatMap(chargesOf);
    source.settle(charges);
    for (const event of fresh) events.set(eventKey(event), event);
    onCommit(fresh);
    return charges;
  };

  const close = ({ instance, epoch, lastSeq }: CloseRequest): readonly ChargedInEpoch[] => {
    for (let seq = (wholeUpTo.get(instance) ?? 0) + 1; seq <= lastSeq; seq += 1) {
      if (!events.has(eventKey({ instance, seq })))
        throw new LedgerRequestError('events_missing', `no event ${String(seq)}`);
      wholeUpTo.set(instance, seq);
    }
    return source.closeInstance(instance, epoch);
  };

  const connect = (life: ProcessLife): PostgresClient => {
    const silence = (): Promise<never> => new Promise(() => undefined);

    const travel = async (): Promise<void> => {
      if (faults.delayMs > 0) await new Promise<void>((resolve) => void time.timers.after(faults.delayMs, resolve));
      if (!life.isAlive()) await silence();
    };

    const transaction = async <T>(work: () => T | Promise<T>): Promise<T> => {
      await travel();
      if (faults.isStopped) throw new LedgerUnavailable('Postgres is stopped');
      const answer = await work();
      if (!life.isAlive()) await silence();
      if (faults.answersToLose > 0) {
        faults.answersToLose -= 1;
        throw new LedgerUnavailable('the answer was lost after the commit');
      }
      await travel();
      return answer;
    };

    return {
      source: {
        openEpoch: () => transaction(source.openEpoch),
        join: (epoch, instance) => transaction(() => source.join(epoch, instance)),
        allocate: (request) =>
          transaction(async () => {
            const answer = await source.allocate(request);
            if (answer.kind !== 'blocks') return answer;
            onBlock(request.terms);
            if (faults.dieAtBlock.delete(life)) life.kill();
            return answer;
          }),
        loaded: (epoch, ids) => transaction(() => source.loaded(epoch, ids)),
        unloaded: (epoch) => transaction(() => source.unloaded(epoch)),
        refund: (epoch, id, returns) => transaction(() => source.refund(epoch, id, returns)),
        shared: {
          current: () => transaction(shared.current),
          succeed: (step) =>
            transaction(async () => {
              const next = await shared.succeed(step);
              onEpoch(next.epoch.id);
              return next;
            }),
          attend: (process) => transaction(() => shared.attend(process)),
          depart: (id) => transaction(() => shared.depart(id)),
          unswept: () => transaction(shared.unswept),
          swept: (epochs) => transaction(() => shared.swept(epochs)),
        },
      },
      register: (instance) =>
        transaction(() => {
          source.register(instance);
        }),
      commit: (batch) => transaction(() => commit(batch)),
      chargeAgain: (batch) =>
        transaction(() => {
          source.settle(batch.flatMap(chargesOf));
        }),
      close: (request) => transaction(() => close(request)),
    };
  };

  return { events, faults, connect };
};

const chargesOf = (event: LedgerEvent): readonly PoolCharge[] =>
  event.counters.filter(({ windowId }) => windowId !== '').map((counter) => ({ ...counter, instance: event.instance }));
