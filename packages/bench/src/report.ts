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

/** Taken by hand with `node --cpu-prof sidecar/dist/proxy.js` under `wrk -c64`; renew it when the path changes. */
const PROFILE = `### Where the time goes

CPU profile of the proxy at 64 connections, November 2026, on a machine with other work to do, shares of busy time: writes to
sockets 35 %, Node's own http, streams, events and timers 23 %, the ledger's end in the proxy 11 % (its encoding 3 %, its writes to
the spool 2 %), garbage collection 10 %, the pipeline 5 %, reading requests and answers 5 %, the upstream client 4 %. Of a stream's
chunk a third is the write to the caller and a tenth the reading of its event.

What each part costs, by taking it out (nginx took 9–18 µs in the same runs): bare proxies that meter nothing took 44–60 µs with
node:http and undici, 30–35 with node:http and a client on sockets such as ours, 16 with sockets on both sides; of the whole proxy,
guarding, reading and routing took 46 µs, the estimate, the hold and the metered answer 46, the intent, the event and their
delivery 57. So 2.5 × nginx leaves no room for the latter behind node:http, and they are the larger part today. A fifth to a
quarter of the process's CPU is V8's helpers': 40–60 KB are allocated a request, and the compiler takes some seconds of load to
finish; until then a request costs nearly twice as much.

Next, by likely gain: one write of all intents of a turn of the event loop, with their requests sent behind it; one encoding shared
by an intent and its event, its constant part kept a route; fewer closures, listeners and promises a call in
\`sidecar/src/pipeline\`; then an HTTP server of our own on sockets, as the client is.`;

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
