/**
 * `make bench`: Tollgate's proxy against the upstream itself, nginx and Portkey's gateway, in interleaved rounds on this
 * machine, written to docs/benchmarks.md. `BENCH_ROUNDS` (9) and `BENCH_SECONDS` (2 a load) shorten it; `BENCH_TARGETS`
 * (`nginx,portkey,tollgate`) leaves some out, and then the page is printed instead of written; `BENCH_SOAK_MINUTES` adds a long steady load.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { closedLoop, openLoop, streams } from './load.ts';
import { withSection } from './page.ts';
import { cpuMicros, memoryMiB } from './process-stats.ts';
import { report, type Measured } from './report.ts';
import { percentile } from './statistics.ts';
import { direct, startNginx, startPortkey, startTollgate, startUpstream, type Target } from './targets.ts';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 9);
const seconds = Number(process.env['BENCH_SECONDS'] ?? 2);
const ALL = ['nginx', 'portkey', 'tollgate'] as const;
const wanted = process.env['BENCH_TARGETS']?.split(',') ?? ALL;
const isWhole = ALL.every((name) => wanted.includes(name));
const soakMinutes = Number(process.env['BENCH_SOAK_MINUTES'] ?? 0);
const WARM_REQUESTS = 30_000;
const WARM_SECONDS = 20;
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

/** Code compiled, connections open, leases at hand: so many requests, since a compiler counts calls and not seconds. */
const warm = async (target: Target): Promise<void> => {
  const started = performance.now();
  for (let sent = 0; sent < WARM_REQUESTS && performance.now() - started < WARM_SECONDS * 1_000;)
    sent += (await closedLoop(target.endpoint, 64, 2, dir)).requests;
  await target.catchUp?.();
};

/** MiB of resident memory at the end of each minute of a steady load. */
const soak = async ({ endpoint, pids }: Target): Promise<number[]> => {
  const readings: number[] = [];
  for (let minute = 0; minute < soakMinutes; minute += 1) {
    await openLoop(endpoint, 200, 60);
    readings.push(memoryMiB(pids).now);
  }
  return readings;
};

const dir = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
const upstream = await startUpstream();
const targets: Target[] = [direct(upstream.port)];
const stopAll = (): void => {
  for (const target of targets) target.stop();
  upstream.stop();
};
const onSignal = (): void => {
  stopAll();
  process.exit(130);
};
process.on('SIGINT', onSignal).on('SIGTERM', onSignal);

try {
  if (wanted.includes('nginx')) targets.push(await startNginx(upstream.port, dir));
  if (wanted.includes('portkey')) targets.push(await startPortkey(upstream.port));
  if (wanted.includes('tollgate')) targets.push(await startTollgate(upstream.port, dir));
  const measured = new Map<string, Measured>(
    targets.map(({ name, readyMs, serveReadyMs = null }) => [
      name,
      { readyMs, serveReadyMs, idleMiB: 0, peakMiB: 0, rounds: [], streams: [], recorded: [], soak: [] },
    ]),
  );
  const of = (name: string): Measured => {
    const entry = measured.get(name);
    if (entry === undefined) throw new Error(`nothing is measured of ${name}`);
    return entry;
  };
  for (const target of targets) {
    if (target.pids.length > 0) of(target.name).idleMiB = memoryMiB(target.pids).now;
    await warm(target);
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const target of targets) {
      const before = cpuMicros(target.pids);
      const closed = await closedLoop(target.endpoint, 64, seconds, dir);
      const cpuPerRequest = (cpuMicros(target.pids) - before) / closed.requests;
      // So that neither the steady rate nor the next target shares the machine with what this load left behind.
      const recorded = await target.catchUp?.();
      if (typeof recorded === 'number') of(target.name).recorded.push(recorded);
      const open = await openLoop(target.endpoint, 200, seconds);
      of(target.name).rounds.push({
        perSecond: closed.perSecond,
        cpuPerRequest,
        errors: closed.errors + open.errors,
        p50: percentile(open.latencies, 50),
        p99: percentile(open.latencies, 99),
      });
      await target.catchUp?.();
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
      await target.catchUp?.();
    }
    say(
      `streams ${String(round)}: ${targets.map(({ name }) => `${name} ${(of(name).streams.at(-1)?.cpuPerChunk ?? 0).toFixed(1)} µs/chunk`).join(', ')}`,
    );
  }
  for (const target of targets) if (target.pids.length > 0) of(target.name).peakMiB = memoryMiB(target.pids).peak;
  const tollgate = targets.find(({ name }) => name === 'tollgate');
  if (tollgate !== undefined && soakMinutes > 0) {
    say(`soak: ${String(soakMinutes)} minutes`);
    of('tollgate').soak.push(...(await soak(tollgate)));
  }
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
  if (isWhole) {
    writeFileSync(file, withSection(readFileSync(file, 'utf8'), 'proxy', text));
    say(`written: ${file}`);
  } else process.stdout.write(text);
} finally {
  stopAll();
  setTimeout(() => {
    rmSync(dir, { recursive: true, force: true });
    process.exit();
  }, 3_000);
}
