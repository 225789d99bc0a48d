/** How soon a changed manifest is with a thousand connected proxies: from the write of the file to the last one's line. */
import { Agent, get } from 'node:http';
import { createInterface } from 'node:readline';
import { LEDGER_CONTRACT } from '@tollgate/ledger';
import { makeHttpLedger } from '@tollgate/ledger/http';
import { median, percentile } from '../statistics.ts';
import { below } from './finding.ts';
import type { Finding } from './finding.ts';
import type { World } from './world.ts';

const PROXIES = 1_000;
const WORKLOADS = 50;
/** Of the last snapshot that came. */
let bytes = 0;
/** Greeted at once: as many as the client has connections. */
const AT_ONCE = 16;

export const measureFanOut = async (world: World): Promise<readonly Finding[]> => {
  const server = await world.server('memory');
  const ledger = makeHttpLedger({ serverUrl: server.url, token: () => world.token, random: Math.random });
  const agent = new Agent({ maxSockets: Infinity });
  const stopping = new AbortController();
  try {
    const instances = Array.from(
      { length: Math.max(AT_ONCE, Math.round(PROXIES * world.scale)) },
      (_, n) => `proxy-${String(n)}`,
    );
    for (let from = 0; from < instances.length; from += AT_ONCE) {
      await Promise.all(
        instances.slice(from, from + AT_ONCE).map((instance, index) => {
          const workload = `workload-${String((from + index) % WORKLOADS)}`;
          const subject = { namespace: 'tight', workload, pod: instance, labels: {}, team: 'tight' };
          return ledger.hello({ contract: LEDGER_CONTRACT, instance, version: '0.1.0', subject });
        }),
      );
    }
    const watchers = await Promise.all(
      instances.map((instance) =>
        watch(`${server.url}/v1/snapshots?instance=${instance}`, {
          token: world.token,
          agent,
          signal: stopping.signal,
        }),
      ),
    );
    const last: number[] = [];
    const middle: number[] = [];
    for (let round = 0; round < world.rounds; round += 1) {
      const began = performance.now();
      const arrivals = watchers.map(async (next) => {
        await next();
        return (performance.now() - began) / 1000;
      });
      world.setTightBudget(String(21 + round));
      const seconds = await Promise.all(arrivals);
      last.push(Math.max(...seconds));
      middle.push(percentile(seconds, 50));
    }
    return [
      {
        what: `a changed manifest with the last of ${instances.length.toLocaleString('en-US')} connected proxies, s`,
        value: median(last),
        goal: below(2),
        beside: `with half of them after ${median(middle).toFixed(2)} s; ${String(WORKLOADS)} workloads, ${(bytes / 1024).toFixed(0)} KiB a snapshot; from the write of the file`,
        next: 'compile and encode a snapshot once for all proxies that get the same one',
      },
    ];
  } finally {
    stopping.abort();
    agent.destroy();
    ledger.close();
    world.setTightBudget('20');
    await server.stop();
  }
};

interface Connection {
  readonly token: string;
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

/** Resolves with the first snapshot; each call of what it gives resolves with the next one. */
const watch = (url: string, { token, agent, signal }: Connection): Promise<() => Promise<void>> =>
  new Promise((opened, failed) => {
    let seen = 0;
    let taken = 1;
    let wake = (): void => undefined;
    let fail = failed;
    const next = (): Promise<void> => {
      taken += 1;
      if (seen >= taken) return Promise.resolve();
      return new Promise((resolve, reject) => {
        wake = resolve;
        fail = reject;
      });
    };
    const request = get(url, { agent, signal, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      if (answer.statusCode !== 200) {
        fail(new Error(`snapshots were answered ${String(answer.statusCode)}`));
        return;
      }
      const lines = createInterface({ input: answer });
      lines.on('error', () => undefined);
      lines.on('close', () => {
        fail(new Error('a snapshot stream ended'));
      });
      lines.on('line', (line) => {
        // Not read as a proxy reads it: a thousand of them have a thousand processes for that.
        if (/^\{"(?:ping|recall)"/.test(line)) return;
        bytes = line.length;
        seen += 1;
        if (seen === 1) opened(next);
        else if (seen >= taken) wake();
      });
    });
    request.on('error', (fault) => {
      fail(fault);
    });
  });
