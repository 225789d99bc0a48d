/** One round: a rig of its own, load, some faults one after another, and then the reckoning. */
import { mkdirSync } from 'node:fs';
import { makeDice } from '../testing/dice.ts';
import type { Fault, Lane, Scene } from './faults/scene.ts';
import { startLoad, type Load } from './load/load.ts';
import type { Outcome } from './load/send-call.ts';
import { keepEvidence } from './oracle/evidence.ts';
import { findCanaries } from './oracle/canaries.ts';
import { readLedgerRows } from './oracle/ledger-rows.ts';
import { checkSums } from './oracle/ledger-sums.ts';
import { matchCalls } from './oracle/match-calls.ts';
import { checkProcesses } from './oracle/processes.ts';
import { closeEpochs } from './oracle/close-epochs.ts';
import { untilDelivered } from './oracle/quiet.ts';
import { mend } from './rig/mend.ts';
import { startRig, type Rig } from './rig/rig.ts';
import { makeTurns } from './turns.ts';

export interface FaultResult {
  readonly row: number;
  readonly name: string;
  readonly ms: number;
  /** Null: as it must be. */
  readonly failure: string | null;
}

export interface RoundResult {
  readonly faults: readonly FaultResult[];
  /** What the oracle found wrong. */
  readonly breaches: readonly string[];
  readonly summary: string;
}

export interface RoundOptions {
  readonly root: string;
  readonly folder: string;
  readonly seed: number;
  readonly hasRedis: boolean;
  /** Asked for the next fault of a lane; null = enough. */
  readonly next: (lane: Lane) => Fault | null;
  /** It did not come to it in this round. */
  readonly putBack: (fault: Fault) => void;
  readonly met: (fault: Fault) => void;
  readonly say: (line: string) => void;
}

const LANES: readonly Lane[] = ['edge', 'centre'];
const SERVERS = 2;
const PROXIES = 4;
const CALLERS = 3;

export const runRound = async (options: RoundOptions): Promise<RoundResult> => {
  const { root, folder, seed, hasRedis, next, say } = options;
  mkdirSync(folder, { recursive: true });
  const rig = await startRig({
    folder,
    root,
    seed,
    servers: hasRedis ? SERVERS : 1,
    proxies: PROXIES,
    hasRedis,
    budgets: { perMinute: '0.12', total: '0.35' },
  });
  const { prompt, providerKey } = rig.secrets;
  const load = startLoad({ seed, proxies: rig.proxies, callersPerProxy: CALLERS, prompt, key: providerKey });
  const faults: FaultResult[] = [];
  const losses: Losses = { answers: [], commits: [] };
  const turns = makeTurns();
  let isOver = false;
  const running = new Set<Fault>();

  const harm = async (fault: Fault, scene: Scene): Promise<void> => {
    const from = load.now();
    const beside = [...running].map(({ name }) => name);
    running.add(fault);
    const result = await runFault(fault, scene);
    running.delete(fault);
    if (fault.losesAnswers === true) losses.answers.push({ from, to: load.now() });
    if (fault.losesCommits === true) losses.commits.push({ from, to: load.now() });
    faults.push(result);
    say(lineOf(result, beside));
    // What a fault that failed has left broken would fail all that follow.
    if (result.failure !== null || fault.losesCommits === true) isOver = true;
  };
  const walk = async (lane: Lane, index: number): Promise<void> => {
    const scene: Scene = { rig, load, dice: makeDice(seed * LANES.length + index) };
    for (let fault = isOver ? null : next(lane); fault !== null; fault = isOver ? null : next(lane)) {
      const due = fault;
      await turns.take(due.isAlone === true, async () => {
        if (isOver) return options.putBack(due);
        await harm(due, scene);
        options.met(due);
      });
    }
  };

  try {
    await Promise.all(LANES.map(walk));
    const reckoning = await reckon(rig, load, losses);
    const isGood = reckoning.breaches.length === 0 && faults.every(({ failure }) => failure === null);
    if (!isGood) await keepEvidence(rig, load);
    return { faults, ...reckoning };
  } finally {
    await load.stop();
    await rig.release();
  }
};

const lineOf = ({ failure, row, ms, name }: FaultResult, beside: readonly string[]): string => {
  const mark = failure === null ? 'ok  ' : 'FAIL';
  const line = `${mark} row ${String(row).padStart(2)}  ${(ms / 1000).toFixed(1).padStart(5)} s  ${name}`;
  if (failure === null) return line;
  return [line, failure, ...beside.map((other) => `while: ${other}`)].join('\n         ');
};

/** Of the load's clock. */
interface Span {
  readonly from: number;
  readonly to: number;
}

interface Losses {
  readonly answers: Span[];
  readonly commits: Span[];
}

/** How long an answer is read on after its caller has left, and a little. */
const READ_ON_MS = 3_000;

const wasWithin =
  (spans: readonly Span[]) =>
  ({ startedAt, endedAt }: Outcome): boolean =>
    spans.some(({ from, to }) => startedAt <= to && endedAt + READ_ON_MS >= from);

const runFault = async (fault: Fault, scene: Scene): Promise<FaultResult> => {
  const { row, name } = fault;
  const before = performance.now();
  const failure = await fault.run(scene).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return { row, name, ms: performance.now() - before, failure };
};

/** Quiet first; then what must hold at any moment; then all is stopped, every epoch closed, and what must hold at the end. */
const reckon = async (rig: Rig, load: Load, losses: Losses): Promise<Pick<RoundResult, 'breaches' | 'summary'>> => {
  const breaches: string[] = [];
  const hasLost = losses.commits.length > 0;
  const attempt = async (what: string, work: () => Promise<readonly string[]>): Promise<void> => {
    try {
      breaches.push(...(await work()));
    } catch (error) {
      breaches.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await attempt('the rig cannot be mended', async () => {
    await mend(rig);
    await load.rest();
    return [];
  });
  await attempt('the events are not delivered', async () => {
    await untilDelivered(rig);
    return [];
  });
  await attempt('the sums cannot be read', () => checkSums(rig, { isEnd: false, hasLost }));
  await attempt('the proxies do not stop', async () => {
    const went = await Promise.all(rig.proxies.map((proxy) => proxy.stop()));
    return went.includes(false) ? ['a proxy did not stop by itself'] : [];
  });
  await attempt('the epoch does not close', async () => {
    // What instances have delivered and the database has lost stays charged until somebody resolves it.
    if (!hasLost) await closeEpochs(rig);
    return [];
  });
  await attempt('the servers do not stop', async () => {
    const went = await Promise.all(rig.servers.map((server) => server.stop()));
    return went.includes(false) ? ['a server did not stop by itself'] : [];
  });
  let summary = '';
  await attempt('the calls cannot be matched', async () => {
    const matched = matchCalls(
      rig.provider.log,
      await readLedgerRows(rig),
      load.outcomes,
      wasWithin(losses.answers),
      wasWithin(losses.commits),
    );
    const dollars = (nano: bigint): string => `$${(Number(nano) / 1e9).toFixed(4)}`;
    const answers = [...Map.groupBy(load.outcomes, answerOf)].map(([kind, some]) => `${String(some.length)} ${kind}`);
    const kinds = Object.entries(matched.settled).map(([kind, count]) => `${String(count)} ${kind}`);
    summary = `${String(load.outcomes.length)} calls (${answers.join(', ')}); ${String(matched.billedCalls)} billed ${dollars(matched.billed)}, charged ${dollars(matched.charged)} (${kinds.join(', ')})`;
    return matched.faults;
  });
  await attempt('the sums cannot be read', () => checkSums(rig, { isEnd: true, hasLost }));
  await attempt('the canaries cannot be looked for', () => findCanaries(rig));
  breaches.push(...checkProcesses(rig, load));
  return { breaches, summary };
};

const answerOf = ({ status, refusal, isWhole }: Outcome): string => {
  if (refusal !== null) return refusal;
  if (status === null) return 'without an answer';
  return status === 200 && !isWhole ? '200 cut off' : String(status);
};
