/** Events a second through the authenticated route into PostgreSQL: batches of 500, each of one proxy, rows and roll-ups committed. */
import { Agent, request } from 'node:http';
import { LEDGER_CONTRACT } from '@tollgate/ledger';
import type { CounterHold } from '@tollgate/ledger';
import { makeHttpLedger } from '@tollgate/ledger/http';
import { encodeSealed, sealEvent } from '@tollgate/ledger/wire';
import { childrenOf, cpuMicros } from '../process-stats.ts';
import { median } from '../statistics.ts';
import { aSettledEvent, anIntent } from './an-attempt.ts';
import { least } from './finding.ts';
import type { Finding } from './finding.ts';
import type { World } from './world.ts';

const SENDERS = 4;
const BATCH = 500;
/** A round: so many batches of each sender. */
const BATCHES = 20;

export const measureIngest = async (world: World): Promise<readonly Finding[]> => {
  const server = await world.server('memory');
  const ledger = makeHttpLedger({ serverUrl: server.url, token: () => world.token, random: Math.random });
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  try {
    const senders: { instance: string; counter: CounterHold; sent: number }[] = [];
    for (let index = 0; index < SENDERS; index += 1) {
      const instance = `sender-${String(index)}`;
      const subject = { namespace: 'rich', workload: 'bench', labels: {}, team: 'rich' };
      await ledger.hello({ contract: LEDGER_CONTRACT, instance, version: '0.1.0', subject });
      const need = { budget: 'rich/bench', limit: 'cost', partition: '', need: 1_000_000_000n, prefer: 1_000_000_000n };
      const answer = await ledger.acquire({ instance, seq: 1, needs: [need] });
      if (!answer.granted || answer.grants[0] === undefined) throw new Error('the senders got no lease');
      const { budget, limit, partition, window, epoch } = answer.grants[0];
      senders.push({
        instance,
        counter: { budget, limit, partition, windowId: window.id, epoch, held: 210_000n },
        sent: 0,
      });
    }
    const rates: number[] = [];
    const cpu: number[] = [];
    const databaseCpu: number[] = [];
    const batches = Math.max(2, Math.round(BATCHES * world.scale));
    for (let round = 0; round <= world.rounds; round += 1) {
      // Put into words before the clock runs: that is the proxies' work.
      const bodies = senders.map((sender) =>
        Array.from({ length: batches }, () =>
          encodeSealed(
            Array.from({ length: BATCH }, () => {
              sender.sent += 1;
              return sealEvent(aSettledEvent(anIntent(sender.instance, sender.sent, [sender.counter])));
            }),
          ),
        ),
      );
      const backends = childrenOf(world.postgresPid);
      const before = cpuMicros([server.pid]);
      const databaseBefore = cpuMicros(backends);
      const began = performance.now();
      await Promise.all(
        bodies.map(async (each) => {
          for (const body of each) await post(`${server.url}/v1/events`, body, world.token, agent);
        }),
      );
      const events = SENDERS * batches * BATCH;
      // The first round is the compiler's.
      if (round === 0) continue;
      rates.push(events / ((performance.now() - began) / 1000));
      cpu.push((cpuMicros([server.pid]) - before) / events);
      databaseCpu.push((cpuMicros(backends) - databaseBefore) / events);
    }
    return [
      {
        what: 'events a second into PostgreSQL, batches of 500 over HTTP',
        value: median(rates),
        goal: least(50_000),
        beside: `an event of one counter takes ${median(cpu).toFixed(1)} µs of the server's CPU and ${median(databaseCpu).toFixed(1)} µs of PostgreSQL's; all share the cores`,
        next: 'several processes of the server; the reading of bodies off its main thread',
      },
    ];
  } finally {
    agent.destroy();
    ledger.close();
    await server.stop();
  }
};

const post = (url: string, body: Buffer, token: string, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': body.length,
    };
    const outgoing = request(url, { method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${String(answer.statusCode)} ${text.slice(0, 200)}`)),
      );
      answer.on('error', reject);
    });
    outgoing.on('error', reject).end(body);
  });
