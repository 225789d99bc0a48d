/**
 * A simulated LLM provider on a real socket: it speaks every format that Tollgate meters, misbehaves when told to, and
 * keeps its own log of what it would bill. It shares no code with what it tests.
 */
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { once } from 'node:events';
import { answeredModel, planAnswer } from './answer-plan.ts';
import type { AnswerPlan, PlanDeps } from './answer-plan.ts';
import { billedNano, toLogLine, totalBilled } from './bill.ts';
import type { BilledCall, MockPrices } from './bill.ts';
import { answerControl } from './control.ts';
import { deliver, pause } from './delivery.ts';
import type { Delivered } from './delivery.ts';
import { makeGate } from './gate.ts';
import type { Gate } from './gate.ts';
import { readIncoming } from './incoming.ts';
import type { Incoming } from './incoming.ts';
import type { MockUsage } from './mock-usage.ts';
import { makePromptCache } from './prompt-cache.ts';
import { makeScript } from './script.ts';
import type { ScriptRule } from './script.ts';

export interface MockProviderOptions {
  /** 0 = any free one. */
  readonly port?: number;
  readonly host?: string;
  /** Equal seeds and requests give equal answers, but for what the prompt cache remembers. */
  readonly seed?: number;
  /** A file that gets one JSON line a call, or who is told of each. */
  readonly log?: string | ((call: BilledCall) => void);
  readonly prices?: MockPrices;
  readonly deployments?: Readonly<Record<string, string>>;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface MockProvider {
  readonly url: string;
  readonly port: number;
  /** Every call that has ended, in the order of ending. */
  readonly log: readonly BilledCall[];
  /** Nano-USD of all calls whose model has a price. */
  bill(): bigint;
  /** Tells calls to come how to behave; returns how to withdraw that. */
  script(rule: ScriptRule): () => void;
  clearScript(): void;
  holdAnswers(): void;
  release(count?: number): void;
  readonly gate: Pick<Gate, 'waiting' | 'untilWaiting'>;
  /** Calls that are being answered. */
  active(): number;
  /** Resolves once no call is being answered: the log is then complete. */
  untilIdle(): Promise<void>;
  stop(): Promise<void>;
}

/** Longer than any client's pool keeps a connection, so that the simulator is never the one to drop an idle one. */
const KEEP_ALIVE_MS = 600_000;
const MAX_HEADER_BYTES = 65_536;

export const startMockProvider = async (options: MockProviderOptions = {}): Promise<MockProvider> => {
  const { port = 0, host = '127.0.0.1', seed = 1, prices = {}, deployments = {}, now = wallClock } = options;
  const log: BilledCall[] = [];
  const sink = openSink(options.log);
  const script = makeScript();
  const gate = makeGate();
  const plans: PlanDeps = { seed, cache: makePromptCache(), script, deployments, conversations: new Map() };
  const active = new Set<Promise<void>>();
  let received = 0;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const incoming = await readIncoming(request);
    if (incoming === null) return;
    if (incoming.path.startsWith('/__mock/')) return control(incoming, response);
    received += 1;
    const id = received;
    const at = now();
    const gone = goneSignal(response);
    const plan = planAnswer(incoming, request.headers, plans);
    await gate.pass(gone);
    if (plan.behaviour.delayMs !== undefined) await pause(plan.behaviour.delayMs, gone);
    const began = !gone.aborted && plan.behaviour.hang !== 'head';
    const accepts = (request.headers['accept-encoding'] ?? '').includes('gzip');
    const delivered = await deliver({ ...plan, response, gone, gzip: plan.behaviour.gzip === true && accepts });
    const call = billCall({ id, at, incoming, plan, delivered, began, prices });
    log.push(call);
    sink.write(call);
  };

  const control = (incoming: Incoming, response: ServerResponse): void => {
    const { status, type, body } = answerControl(incoming, { log, script, gate });
    response.writeHead(status, { 'content-type': type }).end(body);
  };

  const listener: RequestListener = (request, response) => {
    const work = handle(request, response)
      .catch((cause: unknown) => response.destroy(cause instanceof Error ? cause : new Error(String(cause))))
      .then(() => void active.delete(work));
    active.add(work);
  };

  const server = makeServer(options, listener);
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const untilIdle = async (): Promise<void> => {
    while (active.size > 0) await Promise.all(active);
  };

  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}:${bound}`,
    port: bound,
    log,
    bill: () => totalBilled(log),
    script: script.add,
    clearScript: script.clear,
    holdAnswers: gate.hold,
    release: gate.release,
    gate,
    active: () => active.size,
    untilIdle,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await untilIdle();
      await sink.close();
    },
  };
};

interface Billing {
  readonly id: number;
  readonly at: number;
  readonly incoming: Incoming;
  readonly plan: AnswerPlan;
  readonly delivered: Delivered;
  /** The model had begun to speak before the caller left. */
  readonly began: boolean;
  readonly prices: MockPrices;
}

const billCall = ({ id, at, incoming, plan, delivered, began, prices }: Billing): BilledCall => {
  const answered = answeredModel(plan);
  const price = priceOf(prices, plan.model) ?? priceOf(prices, answered);
  const generated = !began ? 0 : plan.stream ? delivered.tokens : Number.MAX_SAFE_INTEGER;
  // An endless answer costs what it came to, not what it would have been.
  const whole = plan.behaviour.endless === true ? { ...plan.usage, output: Number.MAX_SAFE_INTEGER } : plan.usage;
  const usage = delivered.aborted ? cutShort(whole, generated) : plan.usage;
  return {
    id,
    ...(plan.behaviour.label === undefined ? {} : { label: plan.behaviour.label }),
    at,
    method: incoming.method,
    path: incoming.path,
    model: plan.model,
    answeredModel: answered,
    stream: plan.stream,
    status: plan.status,
    usage,
    ...(price === null || plan.status !== 200 ? {} : { billedNano: billedNano(usage, price) }),
    receivedHeaders: incoming.headerNames,
    requestBytes: incoming.body.length,
    requestSha256: incoming.sha256,
    responseBytes: delivered.bytes,
    responseSha256: delivered.sha256,
    aborted: delivered.aborted,
    deliveredTokens: delivered.tokens,
  };
};

/** A call that broke off costs its input and what had been generated by then: thoughts come first. */
const cutShort = (usage: MockUsage, generated: number): MockUsage => {
  const reasoning = Math.min(usage.reasoning, generated);
  const output = Math.min(usage.output, generated - reasoning);
  return { ...usage, reasoning, output, audioOutput: Math.min(usage.audioOutput, generated - reasoning - output) };
};

const priceOf = (prices: MockPrices, model: string | null): MockPrices[string] | null =>
  model !== null && Object.hasOwn(prices, model) ? (prices[model] ?? null) : null;

const makeServer = ({ tls }: MockProviderOptions, listener: RequestListener): Server => {
  const limits = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    requestTimeout: 0,
    maxHeaderSize: MAX_HEADER_BYTES,
    noDelay: true,
  };
  return tls === undefined ? createServer(limits, listener) : createSecureServer({ ...limits, ...tls }, listener);
};

const goneSignal = (response: ServerResponse): AbortSignal => {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
};

const openSink = (
  log: MockProviderOptions['log'],
): { write: (call: BilledCall) => void; close: () => Promise<void> } => {
  if (typeof log === 'function') return { write: log, close: () => Promise.resolve() };
  if (log === undefined) return { write: () => undefined, close: () => Promise.resolve() };
  const file = createWriteStream(log, { flags: 'a' });
  return {
    write: (call) => void file.write(`${toLogLine(call)}\n`),
    close: async () => {
      file.end();
      await once(file, 'close');
    },
  };
};

const wallClock = (): number => Math.floor(performance.timeOrigin + performance.now());
