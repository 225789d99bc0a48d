/**
 * Bounded load over kept-alive connections: a closed loop (as fast as answers come) and an open one (a steady rate,
 * whatever becomes of the answers). The open loop counts latency from the moment a request was due, not from when a
 * stalled client got round to sending it.
 */
import { Agent, request } from 'node:http';

export interface LoadTarget {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface LoadResult {
  readonly completed: number;
  readonly errors: number;
  /** How many answers had which status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Milliseconds, ascending: to the first byte of the answer, and to its last. */
  readonly firstByteMs: readonly number[];
  readonly totalMs: readonly number[];
}

export interface ClosedLoop {
  readonly connections: number;
  /** Ends at whichever comes first. */
  readonly seconds: number;
  readonly maxRequests?: number;
  readonly clock?: () => number;
}

export const closedLoop = async (
  target: LoadTarget,
  { connections, seconds, maxRequests = Infinity, clock = monotonic }: ClosedLoop,
): Promise<LoadResult> => {
  const record = makeRecord(clock);
  const end = clock() + seconds * 1000;
  let sent = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const work = async (): Promise<void> => {
    while (sent < maxRequests && clock() < end) {
      sent += 1;
      await record.measure(target, agent, clock());
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  agent.destroy();
  return record.result();
};

export interface OpenLoop {
  readonly perSecond: number;
  readonly seconds: number;
  /** More than so many calls at once count as errors instead of being sent: the load stays bounded. */
  readonly maxInFlight?: number;
  readonly clock?: () => number;
}

const MAX_IN_FLIGHT = 1_000;

export const openLoop = async (
  target: LoadTarget,
  { perSecond, seconds, maxInFlight = MAX_IN_FLIGHT, clock = monotonic }: OpenLoop,
): Promise<LoadResult> => {
  const record = makeRecord(clock);
  const agent = new Agent({ keepAlive: true, maxSockets: maxInFlight });
  const inFlight = new Set<Promise<void>>();
  const start = clock();
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const due = start + (index * 1000) / perSecond;
    const wait = due - clock();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (inFlight.size >= maxInFlight) {
      record.fail();
      continue;
    }
    const call: Promise<void> = record.measure(target, agent, due).then(() => void inFlight.delete(call));
    inFlight.add(call);
  }
  await Promise.all(inFlight);
  agent.destroy();
  return record.result();
};

/** The value below which a share of the ascending list lies; NaN of an empty one. */
export const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;

const makeRecord = (clock: () => number) => {
  const begun = clock();
  const firstByteMs: number[] = [];
  const totalMs: number[] = [];
  const statuses: Record<string, number> = {};
  let errors = 0;
  return {
    fail: () => void (errors += 1),
    async measure(target: LoadTarget, agent: Agent, due: number): Promise<void> {
      try {
        const answer = await exchange(target, agent, clock);
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        firstByteMs.push(answer.firstByteAt - due);
        totalMs.push(clock() - due);
      } catch {
        errors += 1; // a refused or broken connection is a result of the load, not a fault of the generator
      }
    },
    result: (): LoadResult => ({
      completed: totalMs.length,
      errors,
      statuses,
      seconds: (clock() - begun) / 1000,
      firstByteMs: firstByteMs.sort((a, b) => a - b),
      totalMs: totalMs.sort((a, b) => a - b),
    }),
  };
};

const exchange = (
  { url, method = 'POST', headers = {}, body = '' }: LoadTarget,
  agent: Agent,
  clock: () => number,
): Promise<{ status: number; firstByteAt: number }> =>
  new Promise((resolve, reject) => {
    const length = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const sending = request(url, { method, agent, headers: { ...length, ...headers } }, (response) => {
      let firstByteAt = 0;
      response.on('data', () => {
        if (firstByteAt === 0) firstByteAt = clock();
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, firstByteAt: firstByteAt === 0 ? clock() : firstByteAt }),
      );
      response.on('error', reject);
    });
    sending.on('error', reject);
    sending.end(body);
  });

const monotonic = (): number => performance.now();
