/** The measurements as a page: ratios against baselines of the same run first, since the machine is noisy. Pure. */
import { median } from './statistics.ts';

export interface Round {
  readonly perSecond: number;
  /** Microseconds. */
  readonly cpuPerRequest: number;
  readonly errors: number;
  /** Microseconds at a steady 200 a second, from the intended send time. */
  readonly p50: number;
  readonly p99: number;
}

export interface StreamRound {
  readonly errors: number;
  readonly cpuPerChunk: number;
  /** Milliseconds. */
  readonly firstByteP99: number;
}

export interface Measured {
  readonly readyMs: number | null;
  readonly serveReadyMs: number | null;
  idleMiB: number;
  peakMiB: number;
  readonly rounds: Round[];
  readonly streams: StreamRound[];
  /** Events a second that the ledger stored while it caught up with a round. */
  readonly recorded: number[];
  /** MiB of resident memory after each minute of the soak. */
  readonly soak: number[];
}

export interface ReportInput {
  readonly measured: ReadonlyMap<string, Measured>;
  readonly rounds: number;
  readonly seconds: number;
  readonly machine: {
    readonly cores: number;
    readonly model: string;
    readonly memoryGiB: number;
    readonly node: string;
  };
  readonly date: string;
}

export const report = ({ measured, rounds, seconds, machine, date }: ReportInput): string => {
  const figure = (name: string, pick: (round: Round) => number): number =>
    median((measured.get(name)?.rounds ?? []).map(pick));
  const streamFigure = (name: string, pick: (round: StreamRound) => number): number =>
    median((measured.get(name)?.streams ?? []).map(pick));
  const cpu = (name: string): number => figure(name, ({ cpuPerRequest }) => cpuPerRequest);
  const rate = (name: string): number => figure(name, ({ perSecond }) => perSecond);
  const added = (name: string): number => figure(name, ({ p50 }) => p50) - figure('direct', ({ p50 }) => p50);
  const tollgate = measured.get('tollgate');
  const goals: [string, string, string, boolean][] = [
    goal('CPU per request, × nginx', cpu('tollgate') / cpu('nginx'), 2.5),
    goal("CPU per request, × Portkey's", cpu('tollgate') / cpu('portkey'), 1 / 25),
    goal('requests per second at 64 connections, × nginx', rate('tollgate') / rate('nginx'), 0.4, 'least'),
    goal('added p50 at 200/s, × what nginx adds', added('nginx') > 0 ? added('tollgate') / added('nginx') : NaN, 1.8),
    goal(
      '500 streams: CPU per chunk, × nginx',
      streamFigure('tollgate', ({ cpuPerChunk }) => cpuPerChunk) /
        streamFigure('nginx', ({ cpuPerChunk }) => cpuPerChunk),
      2,
    ),
    goal(
      '500 streams: first byte p99, × nginx',
      streamFigure('tollgate', ({ firstByteP99 }) => firstByteP99) /
        streamFigure('nginx', ({ firstByteP99 }) => firstByteP99),
      10,
    ),
    goal(
      '500 streams: errors',
      (tollgate?.streams ?? []).reduce((sum, { errors }) => sum + errors, 0),
      0,
    ),
    goal('RSS idle, MiB', tollgate?.idleMiB ?? NaN, 80),
    goal('RSS peak under this load, MiB', tollgate?.peakMiB ?? NaN, 120),
    goal('proxy ready, ms from its spawn', tollgate?.readyMs ?? NaN, 250),
  ];
  const recorded = tollgate?.recorded ?? [];
  const soaked = tollgate?.soak ?? [];
  // The first minute fills what is filled once.
  if (soaked.length > 2)
    goals.push(goal('RSS, last minute of the soak × its second', (soaked.at(-1) ?? NaN) / (soaked[1] ?? NaN), 1.05));
  return `## The proxy

Made by \`make bench\` on ${date}: ${String(machine.cores)} cores (${machine.model}), ${String(machine.memoryGiB)} GiB, Node ${machine.node}, loopback. Medians of ${String(rounds)} interleaved rounds
of ${String(seconds)} s a load, every target against the same upstream process (1 KB JSON answers) in the same round, the target's
process pinned to one core, Tollgate's ledger to the others. Tollgate runs as \`tollgate serve\` with a Hard budget of money and calls, and every call is recorded in
its ledger, which may catch up before the next target's turn; nginx is \`proxy_pass\` with keep-alive; Portkey is its npm gateway without budgets. The machine is shared: trust
ratios over 1.3, not digits.

### Goals

| | measured | goal | |
|---|---|---|---|
${goals.map(([what, value, bound, met]) => `| ${what} | ${value} | ${bound} | ${met ? 'met' : '**missed**'} |`).join('\n')}

### Figures

| at 64 connections | req/s | × direct | × nginx | CPU µs/req | p50 at 200/s, µs | p99, µs | errors | ready ms | RSS idle / peak MiB |
|---|---|---|---|---|---|---|---|---|---|
${[...measured]
  .map(
    ([name, { readyMs, idleMiB, peakMiB, rounds: all }]) =>
      `| ${name} | ${round(rate(name))} | ${(rate(name) / rate('direct')).toFixed(2)} | ${(rate(name) / rate('nginx')).toFixed(2)} | ${name === 'direct' ? '' : cpu(name).toFixed(1)} | ${round(figure(name, ({ p50 }) => p50))} | ${round(figure(name, ({ p99 }) => p99))} | ${String(all.reduce((sum, { errors }) => sum + errors, 0))} | ${readyMs === null ? '' : round(readyMs)} | ${name === 'direct' ? '' : `${round(idleMiB)} / ${round(peakMiB)}`} |`,
  )
  .join('\n')}

"Ready" is the process alone, from its spawn; the whole of \`tollgate serve\` (database and control plane included) took
${round(tollgate?.serveReadyMs ?? NaN)} ms.${recorded.length === 0 ? '' : ` Behind a load the embedded database stored ${round(median(recorded))} events a second.`}
${soaked.length === 0 ? '' : `\nRSS after each minute of a steady 200/s, MiB: ${soaked.map(round).join(', ')}.\n`}
| 500 streams at once, 50 chunks 100 ms apart | CPU µs/chunk | first byte p99, ms | errors |
|---|---|---|---|
${[...measured]
  .filter(([, { streams }]) => streams.length > 0)
  .map(
    ([name, { streams }]) =>
      `| ${name} | ${name === 'direct' ? '' : streamFigure(name, ({ cpuPerChunk }) => cpuPerChunk).toFixed(1)} | ${streamFigure(name, ({ firstByteP99 }) => firstByteP99).toFixed(0)} | ${String(streams.reduce((sum, { errors }) => sum + errors, 0))} |`,
  )
  .join('\n')}

${PROFILE}
`;
};

/** Taken by hand with `perf record` on `sidecar/dist/proxy.js` under `wrk -c64`; renew it when the path changes. */
const PROFILE = `### Where the time goes

Samples of the proxy at 64 connections (\`perf record\`, \`--perf-basic-prof-only-functions\`), November 2026, on a machine with other work to
do, shares of its CPU: the kernel 19 %, half of it writes to sockets; JavaScript, ours and Node's, 19 %; V8's builtins 17 % (property
lookups, promises, maps); V8's compiler 14 %; the rest of V8's runtime 12 %; garbage collection 7 %; copies and \`malloc\` 7 %; Node's own
C++ 5 %; JSON 3 %. No function of ours takes 1 %. Of a stream's chunk the kernel takes 30 % and JavaScript 19 %. V8's own profiler
(\`--cpu-prof\`) put a quarter of a chunk on the reading of keys; \`perf\` says 1 %, and alone in a process the whole of a chunk is read in
1.7 µs.

What a turn of the event loop sends leaves together, at its end: the intents of its calls are one write to the spool, their requests go
to the provider behind it, and whole answers and pieces of streams go to the callers in a row. A reader whom the first one woke is still
awake for the others. Beside the proxy before that, under the same load at the same time, it took 0.86 of the CPU a request (the
intents and the requests behind them 0.89 by themselves) and 0.92 a chunk; writes to sockets were 23 % of the main thread's time before.

What each part costs, by taking it out (nginx took 9–18 µs in the same runs): bare proxies that meter nothing took 44–60 µs with
node:http and undici, 30–35 with node:http and a client on sockets such as ours, 16 with sockets on both sides. A hold and its
settlement alone in a process take 9 µs and 12.7 KB, of which 4.3 µs are the encoding of intent and event; the rest of what metering
costs is spread over all stages. 40–60 KB are allocated a request. The compiler takes about 6 s of CPU until all is compiled.
With one arena of glibc's (\`MALLOC_ARENA_MAX=1\`, as images and \`tollgate serve\` set it) the proxy's peak is 9 to 21 MiB lower.

Next, by likely gain: an HTTP server of our own on sockets, as the client is; the constant part of an intent and of its event
encoded once a route (2–3 µs); fewer promises, closures and listeners a call in \`sidecar/src/pipeline\`. Tried and left: a native look
whether a body is ASCII (0.05 µs), keys of counters made once a limit (under 1 µs).`;

const goal = (
  what: string,
  value: number,
  bound: number,
  kind: 'most' | 'least' = 'most',
): [string, string, string, boolean] => {
  const digits = bound > 0 && bound < 0.1 ? 3 : bound >= 10 ? 0 : 2;
  return [
    what,
    // Such as a ratio to what the noise of the machine hid.
    Number.isNaN(value) ? 'not measured' : value.toFixed(digits),
    `${kind === 'most' ? '≤' : '≥'} ${bound.toFixed(digits)}`,
    kind === 'most' ? value <= bound : value >= bound,
  ];
};

const round = (value: number): string => value.toFixed(0);
