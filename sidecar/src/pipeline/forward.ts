/** Sends an admitted attempt to its backend and lets the answer pass, metered; settles it when the answer has ended. */
import { spliceRequest } from '@tollgate/providers';
import type { FallbackCause } from '@tollgate/api';
import type { Escrow } from '@tollgate/ledger/escrow';
import type { PriceRow } from '@tollgate/metering';
import { callHeaders, costHeaders } from '../answer-headers.ts';
import { requestHeaders } from '../headers.ts';
import { Relay, type DrainAllowance, type RelayOutcome } from '../upstream/relay.ts';
import type { BufferBudget } from './buffer-budget.ts';
import { settle, type Admitted, type Routed, type SettleDeps } from './settle.ts';
import type { Limits } from '../config.ts';
import type { Candidate, Exchange } from '../exchange.ts';
import type { Credential } from '../policy/credential.ts';
import type { Transport } from '../upstream/transport.ts';
import type { Turn } from '../turn.ts';

export interface ForwardDeps extends SettleDeps {
  readonly escrow: Pick<Escrow, 'settle' | 'left'>;
  readonly transport: Transport;
  readonly turn: Turn;
  readonly limits: Limits;
  readonly kept: BufferBudget;
  readonly drain: DrainAllowance;
  /** What callers send for a credential is a token for us, and nobody else's business. */
  readonly takesTokens: boolean;
}

/** Design §4.9: an abandoned answer is read on for at most one cent. */
const DRAIN_NANO = 10_000_000n;

export const forward = (
  deps: ForwardDeps,
  exchange: Exchange,
  call: Routed,
  admitted: Admitted,
  credential: Credential | null,
  retryOn: readonly FallbackCause[],
): Promise<RelayOutcome> =>
  new Promise((resolve) => {
    const { req, res, stream } = exchange;
    const { policy, envelope, candidate } = call;
    const { estimate: estimated } = admitted;
    // Audit changes no byte, and a call without a budget passes unchanged: usage is asked for where a budget acts on it.
    const asksUsage =
      stream &&
      envelope.includeUsage !== true &&
      ASKS_USAGE.has(envelope.format) &&
      (policy.hard.length > 0 || policy.soft.length > 0);
    const bodyPieces = spliceRequest(exchange.body ?? Buffer.alloc(0), envelope, {
      ...(asksUsage ? { includeUsage: true } : {}),
      ...(estimated.capPut === null
        ? {}
        : {
            outputCap: estimated.capPut,
            ...(candidate.outputCapField === undefined ? {} : { outputCapField: candidate.outputCapField }),
          }),
      ...(candidate.provider === 'azure' ||
      candidate.provider === 'gemini' ||
      candidate.modelSent === envelope.model ||
      candidate.modelSent === null
        ? {}
        : { model: candidate.modelSent }),
    });
    const timeouts = candidate.rule?.timeouts;
    const relay = new Relay(
      {
        res,
        turn: deps.turn,
        format: envelope.format,
        isStream: stream,
        strip: asksUsage,
        secret: credential?.secret ?? null,
        retryOn,
        answerBytes: deps.limits.answerBytes,
        kept: deps.kept,
        drain: deps.drain,
        onDisconnect: policy.rules?.onDisconnect ?? 'Drain',
        drainBytes: drainBytes(estimated.price),
        heldHeaders: () => callHeaders(exchange, estimated, deps.escrow, admitted.hold),
        now: deps.now,
        onEnding: (ending, answer) => {
          exchange.charged += settle(deps, call, admitted, ending, answer);
          return [...callHeaders(exchange, estimated, deps.escrow, null), ...costHeaders(exchange.charged)];
        },
      },
      resolve,
    );
    deps.transport.dispatch(
      {
        origin: candidate.origin,
        path: upstreamPath(candidate, exchange),
        method: req.method ?? 'POST',
        headers: requestHeaders(req.rawHeaders, credential, deps.takesTokens),
        body: bodyPieces,
        firstByteMs: timeouts?.firstByteMs ?? deps.limits.firstByteMs,
        idleMs: deps.limits.idleMs,
        callMs: timeouts?.requestMs ?? deps.limits.callMs,
      },
      relay,
    );
  });

const ASKS_USAGE = new Set(['openai-chat', 'openai-completions']);

/** Bytes of answer that a cent of output tokens can be at most, at four bytes a token. */
const drainBytes = (price: PriceRow | null): number => {
  const rate = price?.tiers[0]?.rates.output ?? 0n;
  return rate === 0n ? 64 * 1024 : Number((DRAIN_NANO * 1_000_000n * 4n) / rate);
};

/** A route may send another model or deployment than was asked: in these formats it stands in the path. */
const upstreamPath = (candidate: Candidate, { destination }: Exchange): string => {
  if (
    candidate.provider !== 'gemini' ||
    candidate.modelSent === null ||
    destination === null ||
    destination.modelInPath === null
  )
    return candidate.path;
  if (candidate.modelSent === destination.modelInPath) return candidate.path;
  return candidate.path.replace(`/models/${destination.modelInPath}:`, `/models/${candidate.modelSent}:`);
};
