import { createHash } from 'node:crypto';
import { LedgerUnavailable } from '../lease-port.ts';
import { LedgerRequestError } from '../pool/ledger-request-error.ts';
import {
  REMEMBERED_SEQS,
  SERVER_ALIVE_MS,
  type LeaseAnswer,
  type LeaseLine,
  type PoolEpoch,
  type PoolState,
  type StateCharge,
} from '../pool/pool-state.ts';
import {
  amountOf,
  balancesIn,
  countersIn,
  drainedIn,
  drainsIn,
  grantsIn,
  listOf,
  numberOf,
  readAnswer,
  textOf,
  type Answer,
} from './answers.ts';
import { makePoolKeys } from './keys.ts';
import { DIALECT, functionName, makeLibrary, type FunctionName, type Library } from './library.ts';
import { isLoadedAlready, isMissingFunction, isNoAmount } from './redis-fault.ts';
import { openRedisLink, type RedisLink, type RedisLinkOptions } from './redis-link.ts';

/**
 * Balances in Redis, shared by all servers of an installation: each operation is one call of a function that is atomic
 * over all its keys. Redis may be wiped, rolled back or replaced at any time; the fence in the functions notices.
 */
export interface RedisPoolState extends PoolState {
  /** `library`: the fence stands on the library's own memory. `connection`: that does not last here; on the server's run id and the count of changes. */
  readonly fence: 'library' | 'connection';
  /** Resolves when there is a connection, to a server that may hold a pool. */
  met(): Promise<void>;
  /** Ends the connection; the pool stays. */
  release(): void;
}

export interface RedisPoolStateOptions extends RedisLinkOptions {
  /** The installation's id: all its keys are hashed by it. */
  readonly organisation: string;
  /** Random, for the self-test. */
  readonly token: string;
  /** The time of each answer: see `makeLedgerClock`. */
  readonly onTime?: (stateTimeMs: number) => void;
  /** For tests: another library, or a server whose libraries forget. */
  readonly library?: Library;
  readonly fence?: 'auto' | 'connection';
}

const PAGE = 500;
const SWEEP = 500;

/** Throws `RedisUnsuitable` where this Redis cannot hold a pool, `LedgerUnavailable` where none answers. */
export const openRedisPoolState = async (options: RedisPoolStateOptions): Promise<RedisPoolState> => {
  const link = await openRedisLink(options);
  try {
    return await stateOver(link, options);
  } catch (fault) {
    link.close();
    throw fault;
  }
};

const stateOver = async (link: RedisLink, options: RedisPoolStateOptions): Promise<RedisPoolState> => {
  const { organisation, token, onTime, library = makeLibrary() } = options;
  const keys = makePoolKeys(organisation);
  /** Of the epoch at hand: the most changes that an answer told of. */
  let seen = { epoch: '', changes: 0 };

  const loadLibrary = async (): Promise<void> => {
    try {
      await link.load(library.payload);
    } catch (fault) {
      if (!isLoadedAlready(fault)) throw new LedgerUnavailable('the library could not be loaded', { cause: fault });
    }
  };

  const call = async (
    version: string,
    name: FunctionName,
    callKeys: readonly string[],
    args: readonly string[],
  ): Promise<unknown> => {
    try {
      return await link.fcall(functionName(version, name), callKeys, args);
    } catch (fault) {
      if (isMissingFunction(fault) || fault instanceof LedgerUnavailable) throw fault;
      if (isNoAmount(fault)) {
        throw new LedgerRequestError('invalid_amount', 'more than 2^53 - 1 of a counter cannot be told exactly');
      }
      throw new LedgerUnavailable(`Redis failed in ${name}`, { cause: fault });
    }
  };

  /** With this adapter's own library, which is loaded where the server has lost it. */
  const callOwn = async (
    name: FunctionName,
    callKeys: readonly string[],
    args: readonly string[],
  ): Promise<readonly unknown[]> => {
    try {
      return listOf(await call(library.version, name, callKeys, args));
    } catch (fault) {
      if (!isMissingFunction(fault)) throw fault;
      await loadLibrary();
      return listOf(await call(library.version, name, callKeys, args));
    }
  };

  /** Within an epoch, by its library; where that is gone, so is what it guarded. */
  const callIn = async (
    epoch: PoolEpoch,
    name: FunctionName,
    callKeys: readonly string[],
    args: readonly string[],
  ): Promise<Answer> => {
    if (seen.epoch !== epoch.id) seen = { epoch: epoch.id, changes: 0 };
    const guard = [epoch.id, link.server().runId, String(seen.changes)];
    try {
      const answer = readAnswer(await call(epoch.library, name, [keys.epoch, ...callKeys], [...guard, ...args]));
      if (seen.epoch === epoch.id && answer.changes > seen.changes) seen.changes = answer.changes;
      onTime?.(answer.now);
      return answer;
    } catch (fault) {
      if (isMissingFunction(fault)) return { kind: 'epoch', now: 0, changes: 0, rest: [] };
      throw fault;
    }
  };

  await loadLibrary();
  const remembers = async (): Promise<boolean> => {
    await callOwn('selftest', [keys.epoch], [token]);
    return (await callOwn('selftest', [keys.epoch], [token]))[0] === token;
  };
  const fence = options.fence !== 'connection' && (await remembers()) ? 'library' : 'connection';

  return {
    library: library.version,
    dialects: [DIALECT],
    fence,
    met: () => link.met(),
    release: () => {
      link.close();
    },

    open: async (epoch) => {
      await loadLibrary();
      const args = [epoch.id, String(epoch.number), link.server().runId, fence === 'library' ? '1' : '0'];
      const { kind, rest } = readAnswer(await call(epoch.library, 'open', [keys.epoch], args));
      if (kind === 'newer') return { kind, number: numberOf(rest[0]) };
      return oneOf(kind, ['opened', 'lost']);
    },
    isOpen: async (epoch) => (await callIn(epoch, 'isopen', [], [])).kind === 'open',
    admit: async (epoch, instance, closes) => {
      const args = [instance, closes === null ? '' : String(closes)];
      const { kind, rest } = await callIn(epoch, 'admit', [keys.of(epoch.id).members], args);
      if (kind === 'stranger') return { kind, closes: numberOf(rest[0]) };
      return oneOf(kind, ['admitted', 'epoch']);
    },
    load: async (epoch, { key, blockId, amount, windowEnd, max, free }) => {
      const { index, counter } = keys.of(epoch.id);
      const args = [key, blockId, String(amount), endText(windowEnd), String(max), String(free)];
      const { kind } = await callIn(epoch, 'load', [index, counter(key)], args);
      return oneOf(kind, ['loaded', 'known', 'ended', 'epoch']).kind;
    },
    lease: async (epoch, { instance, seq, asked, lines, liveProxies }) => {
      const of = keys.of(epoch.id);
      const answer = await callIn(
        epoch,
        'lease',
        [of.members, of.instance(instance), ...lines.map(({ key }) => of.counter(key))],
        [
          instance,
          String(seq),
          digest(asked),
          String(liveProxies),
          String(REMEMBERED_SEQS),
          ...lines.flatMap(lineArgs),
        ],
      );
      return readLease(answer);
    },
    giveBack: async (epoch, { instance, seq, asked, returns }) => {
      const of = keys.of(epoch.id);
      const { kind, rest } = await callIn(
        epoch,
        'giveback',
        [of.members, of.instance(instance), ...returns.map(({ key }) => of.counter(key))],
        [
          instance,
          String(seq),
          digest(asked),
          String(REMEMBERED_SEQS),
          ...returns.flatMap(({ key, amount }) => [key, String(amount)]),
        ],
      );
      if (kind === 'exceeds') return { kind, line: numberOf(rest[0]) };
      return oneOf(kind, ['returned', 'epoch', 'seq_reused', 'seq_too_old']);
    },
    settled: async (epoch, charges) => {
      const of = keys.of(epoch.id);
      for (const [instance, list] of Map.groupBy(charges, (charge: StateCharge) => charge.instance)) {
        await callIn(
          epoch,
          'settled',
          [of.instance(instance), ...list.map(({ key }) => of.counter(key))],
          list.flatMap(({ key, charged }) => [key, String(charged)]),
        );
      }
    },
    close: async (epoch, instance, spent) => {
      const of = keys.of(epoch.id);
      const args = [instance, of.counterPrefix, ...spent.flatMap(({ key, amount }) => [key, String(amount)])];
      const { kind } = await callIn(epoch, 'close', [of.members, of.instance(instance)], args);
      return oneOf(kind, ['closed', 'epoch']).kind;
    },
    drain: async (epoch, id, counters) => {
      const of = keys.of(epoch.id);
      const { kind, rest } = await callIn(
        epoch,
        'drain',
        [of.drains, ...counters.map(({ key }) => of.counter(key))],
        [id, ...counters.flatMap(({ key, max }) => [key, max === null ? '' : String(max)])],
      );
      if (kind === 'drained') return { kind, drained: drainedIn(id, rest) };
      return oneOf(kind, ['epoch']);
    },
    refunded: async (epoch, id) => {
      await callIn(epoch, 'refunded', [keys.of(epoch.id).drains], [id]);
    },
    forget: async (epoch, names) => {
      const of = keys.of(epoch.id);
      await callIn(epoch, 'forget', [of.index, ...names.map(of.counter)], names);
    },
    page: async (epoch, cursor) => {
      const of = keys.of(epoch.id);
      const args = [of.counterPrefix, String(cursor), String(PAGE)];
      const { kind, now, rest } = await callIn(epoch, 'page', [of.index, of.drains], args);
      if (kind !== 'page') return oneOf(kind, ['epoch']);
      const [next, drains, counters] = rest;
      return {
        kind,
        now,
        next: next === '' ? null : numberOf(next),
        drains: drainsIn(listOf(drains)),
        counters: countersIn(listOf(counters)),
      };
    },
    beat: async (server, proxies) => {
      const answer = readAnswer(
        await callOwn('beat', [keys.servers], [server, String(proxies), String(SERVER_ALIVE_MS)]),
      );
      onTime?.(answer.now);
      return numberOf(answer.rest[0]);
    },
    leave: async (server) => {
      await callOwn('beat', [keys.servers], [server, '', String(SERVER_ALIVE_MS)]);
    },
    sweep: async (epoch, earlier) => {
      for (const id of earlier) {
        const of = keys.of(id);
        const args = [of.counterPrefix, of.instancePrefix, String(SWEEP)];
        const { kind } = await callIn(epoch, 'sweep', [of.index, of.members, of.drains], args);
        if (kind !== 'swept') return false;
      }
      return true;
    },
  };
};

const lineArgs = ({ key, window, max, need, prefer }: LeaseLine): readonly string[] => [
  key,
  window.id,
  String(window.start),
  endText(window.end),
  String(max),
  String(need),
  String(prefer),
];

const readLease = ({ kind, now, rest }: Answer): LeaseAnswer => {
  switch (kind) {
    case 'granted': {
      const [reply, again, ...balances] = rest;
      return { kind, now, grants: grantsIn(reply), balances: textOf(again) === '1' ? null : balancesIn(balances) };
    }
    case 'short':
      return { kind, now, pooled: rest.map(amountOf) };
    case 'window':
      return { kind, now };
    case 'lowered':
      return { kind, lines: rest.map(numberOf) };
    case 'stranger':
      return { kind, closes: numberOf(rest[0]) };
    default:
      return oneOf(kind, ['epoch', 'seq_reused', 'seq_too_old']);
  }
};

const oneOf = <T extends string>(kind: string, kinds: readonly T[]): { readonly kind: T } => {
  for (const known of kinds) if (known === kind) return { kind: known };
  throw new LedgerUnavailable(`the pool answered "${kind}", which this version does not know`);
};

const endText = (end: number | null): string => (end === null ? '' : String(end));

/** Long enough that two questions of one proxy do not meet by chance. */
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);
