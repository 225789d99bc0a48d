/** Leases a second through one server process, as proxies ask for them: authenticated, over HTTP, sixteen at a time. */
import { LEDGER_CONTRACT } from '@tollgate/ledger';
import type { Need } from '@tollgate/ledger';
import { makeHttpLedger } from '@tollgate/ledger/http';
import { median } from '../statistics.ts';
import { cpuMicros } from '../process-stats.ts';
import type { Finding } from './finding.ts';
import { BUDGETS } from './world.ts';
import type { World } from './world.ts';

const ASKERS = 16;
const SECONDS = 1;
const NEED = 210_000n;

export const measureHttpLeases = async (world: World, pool: 'memory' | 'redis'): Promise<readonly Finding[]> => {
  const server = await world.server(pool);
  const ledger = makeHttpLedger({ serverUrl: server.url, token: () => world.token, random: Math.random });
  try {
    const askers = Array.from({ length: ASKERS }, (_, index) => ({ instance: `asker-${String(index)}`, seq: 0 }));
    for (const { instance } of askers) {
      const subject = { namespace: 'four', workload: 'bench', labels: {}, team: 'four' };
      await ledger.hello({ contract: LEDGER_CONTRACT, instance, version: '0.1.0', subject });
    }
    const rate = async (needs: readonly Need[]): Promise<number> => {
      const began = performance.now();
      const end = began + SECONDS * 1000 * world.scale;
      let granted = 0;
      const ask = async (asker: { instance: string; seq: number }): Promise<void> => {
        while (performance.now() < end) {
          asker.seq += 1;
          const answer = await ledger.acquire({ instance: asker.instance, seq: asker.seq, needs });
          if (!answer.granted) throw new Error(`refused: ${answer.reason}`);
          granted += 1;
        }
      };
      await Promise.all(askers.map(ask));
      return granted / ((performance.now() - began) / 1000);
    };
    const findings: Finding[] = [];
    for (const [what, needs] of [
      ['one counter', needsOf('rich')],
      ['four counters', needsOf('four')],
    ] as const) {
      await rate(needs);
      const rates: number[] = [];
      const cpu: number[] = [];
      for (let round = 0; round < world.rounds; round += 1) {
        const before = cpuMicros([server.pid]);
        const began = performance.now();
        const perSecond = await rate(needs);
        rates.push(perSecond);
        cpu.push((cpuMicros([server.pid]) - before) / (perSecond * ((performance.now() - began) / 1000)));
      }
      findings.push({
        what: `leases a second through one server, ${what}, pool in ${pool === 'redis' ? 'Redis' : 'memory'}`,
        value: median(rates),
        goal: null,
        beside: `${median(cpu).toFixed(0)} µs of the server's CPU each; the asking process shares the cores`,
      });
    }
    return findings;
  } finally {
    ledger.close();
    await server.stop();
  }
};

const needsOf = (name: 'rich' | 'four'): readonly Need[] =>
  BUDGETS[name].map(({ name: limit }) => ({
    budget: `${name}/bench`,
    limit,
    partition: '',
    need: limit === 'calls' ? 1n : NEED,
    prefer: limit === 'calls' ? 2n : 2n * NEED,
  }));
