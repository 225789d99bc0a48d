/**
 * `make bench`: Tollgate's proxy against the upstream itself, nginx and Portkey's gateway, in interleaved rounds on this
 * machine, written to docs/benchmarks.md. `BENCH_ROUNDS` (9) and `BENCH_SECONDS` (2 a load) shorten it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { closedLoop, openLoop, streams } from './load.ts';
import { cpuMicros, memoryMiB } from './process-stats.ts';
import { report, type Measured } from './report.ts';
import { percentile } from './statistics.ts';
import { direct, startNginx, startPortkey, startTollgate, startUpstream, type Target } from './targets.ts';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 9);
const seconds = Number(process.env['BENCH_SECONDS'] ?? 2);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const needs = (command: string, how: string): void => {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
  } catch {
    say(`bench: ${command} is missing: ${how}`);
    process.exit(69);
  }
};
needs('nginx', 'apt-get install nginx-light');
needs('wrk', 'apt-get install wrk');
needs('taskset', 'apt-get install util-linux');

const dir = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
const upstream = await startUpstream();
const targets: Target[] = [direct(upstream.port)];
const stopAll = (): void => {
  for (const target of targets) target.stop();
  upstream.stop();
};
process.on('SIGINT', () => {
  stopAll();
  process.exit(130);
});

try {
  targets.push(
    await startNginx(upstream.port, dir),
    await startPortkey(upstream.port),
    await startTollgate(upstream.port, dir),
  );
  const measured = new Map<string, Measured>(
    targets.map(({ name, readyMs }) => [name, { readyMs, idleMiB: 0, peakMiB: 0, rounds: [], streams: [] }]),
  );
  const of = (name: string): Measured => {
    const entry = measured.get(name);
    if (entry === undefined) throw new Error(`nothing is measured of ${name}`);
    return entry;
  };
  for (const target of targets) {
    if (target.pids.length > 0) of(target.name).idleMiB = memoryMiB(target.pids).now;
    await closedLoop(target.endpoint, 16, 1, dir); // Warm: code compiled, connections open, leases at hand.
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const target of targets) {
      const before = cpuMicros(target.pids);
      const closed = await closedLoop(target.endpoint, 64, seconds, dir);
      const cpuPerRequest = (cpuMicros(target.pids) - before) / closed.requests;
      const open = await openLoop(target.endpoint, 200, seconds);
      of(target.name).rounds.push({
        perSecond: closed.perSecond,
        cpuPerRequest,
        errors: closed.errors + open.errors,
        p50: percentile(open.latencies, 50),
        p99: percentile(open.latencies, 99),
      });
    }
    say(
      `round ${String(round)} of ${String(rounds)}: ${targets.map(({ name }) => `${name} ${(of(name).rounds.at(-1)?.perSecond ?? 0).toFixed(0)}/s ${(of(name).rounds.at(-1)?.cpuPerRequest ?? 0).toFixed(0)} µs`).join(', ')}`,
    );
  }
  for (let round = 1; round <= Math.min(3, rounds); round += 1) {
    for (const target of targets.filter(({ name }) => name !== 'portkey')) {
      const before = cpuMicros(target.pids);
      const result = await streams(target.endpoint, 500, 50, 100);
      const cpuPerChunk = (cpuMicros(target.pids) - before) / Math.max(1, result.chunks);
      of(target.name).streams.push({
        errors: result.errors,
        cpuPerChunk,
        firstByteP99: percentile(result.firstByte, 99),
      });
    }
    say(
      `streams ${String(round)}: ${targets.map(({ name }) => `${name} ${(of(name).streams.at(-1)?.cpuPerChunk ?? 0).toFixed(1)} µs/chunk`).join(', ')}`,
    );
  }
  for (const target of targets) if (target.pids.length > 0) of(target.name).peakMiB = memoryMiB(target.pids).peak;
  const text = report({
    measured,
    rounds,
    seconds,
    machine: {
      cores: cpus().length,
      model: cpus()[0]?.model ?? '',
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
    date: new Date().toISOString().slice(0, 10),
  });
  const file = resolve(import.meta.dirname, '../../../docs/benchmarks.md');
  writeFileSync(file, text);
  say(`written: ${file}`);
} finally {
  stopAll();
  setTimeout(() => {
    rmSync(dir, { recursive: true, force: true });
    process.exit();
  }, 3_000);
}
