/**
 * `make bench-ledger`: what leases, the spool, the server and its stores cost, written to docs/benchmarks.md.
 * `BENCH_ROUNDS` (5) and `BENCH_SCALE` (1; 0.1 for a trial) shorten it; `BENCH_ONLY` (`spool,ingest`) takes some alone.
 * The page is written by whole runs only, else the section is printed.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { thisMachine } from '../machine.ts';
import { withSection } from '../page.ts';
import type { Finding } from './finding.ts';
import { measureHttpLeases } from './http-lease-rate.ts';
import { measureIngest } from './ingest-rate.ts';
import { ledgerReport } from './ledger-report.ts';
import { measureOpenHolds } from './open-holds.ts';
import { measureProxyCpu } from './proxy-cpu.ts';
import { measureRedisLeases } from './redis-lease-rate.ts';
import { measureRollUps } from './roll-up-query.ts';
import { measureRoundTrips } from './round-trips.ts';
import { measureFanOut } from './snapshot-fanout.ts';
import { measureSpoolAppend } from './spool-append.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

const MEASUREMENTS: Readonly<Record<string, (world: World) => Promise<readonly Finding[]>>> = {
  'round-trips-memory': (world) => measureRoundTrips(world, 'memory'),
  'round-trips-redis': (world) => measureRoundTrips(world, 'redis'),
  'proxy-cpu-memory': (world) => measureProxyCpu(world, 'memory'),
  'proxy-cpu-redis': (world) => measureProxyCpu(world, 'redis'),
  'leases-redis': measureRedisLeases,
  'leases-http': (world) => measureHttpLeases(world, 'memory'),
  ingest: measureIngest,
  'fan-out': measureFanOut,
  'roll-ups': measureRollUps,
  spool: measureSpoolAppend,
  'open-holds': measureOpenHolds,
};

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const scale = Number(process.env['BENCH_SCALE'] ?? 1);
const only = process.env['BENCH_ONLY']?.split(',') ?? null;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

for (const [command, how] of [
  ['redis-server', 'apt-get install redis-server'],
  ['wrk', 'apt-get install wrk'],
] as const) {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
  } catch {
    say(`bench-ledger: ${command} is missing: ${how}`);
    process.exit(69);
  }
}

const world = await openWorld({ rounds, scale, say });
const stop = (exitCode: number): void => void world.close().finally(() => process.exit(exitCode));
process.on('SIGINT', () => stop(130)).on('SIGTERM', () => stop(143));
// Databases and servers are processes of their own, and would go on.
process.on('uncaughtException', (fault) => {
  say(fault.stack ?? fault.message);
  stop(1);
});

const findings: Finding[] = [];
const faults: string[] = [];
try {
  for (const [name, measure] of Object.entries(MEASUREMENTS)) {
    if (only !== null && !only.includes(name)) continue;
    const began = performance.now();
    try {
      findings.push(...(await measure(world)));
    } catch (cause) {
      // One that fails must not take the figures of the others with it.
      faults.push(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
    say(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
} finally {
  await world.close();
}

const text = ledgerReport({
  findings,
  rounds,
  machine: thisMachine(),
  date: new Date().toISOString().slice(0, 10),
  faults,
});
const file = resolve(import.meta.dirname, '../../../../docs/benchmarks.md');
if (only === null && scale === 1) {
  writeFileSync(file, withSection(readFileSync(file, 'utf8'), 'ledger', text));
  say(`written: ${file}`);
} else process.stdout.write(`${text}\n`);
process.exit(faults.length === 0 ? 0 : 1);
