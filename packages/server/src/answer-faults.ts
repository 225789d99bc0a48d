/** What was thrown on the way becomes an answer, a count, and a line of the log where somebody can do something about it. */
import type { ErrorRequestHandler } from 'express';
import type { Logger, Timers } from '@tollgate/runtime';
import { askingOf } from './asking.ts';
import { toHttpRefusal } from './http-refusal.ts';
import type { ServerMetrics } from './metrics.ts';
import { makeOutageLog } from './outage-log.ts';
import { makeRefusals } from './refusals.ts';

export interface FaultAnswersDeps {
  readonly metrics: ServerMetrics;
  readonly logger: Logger;
  readonly timers: Timers;
  /** Milliseconds since 1970, UTC. */
  readonly clock: () => number;
}

export const answerFaults = ({ metrics, logger, timers, clock }: FaultAnswersDeps): ErrorRequestHandler => {
  const outages = makeOutageLog({ logger, timers });
  const refusals = makeRefusals({ logger, clock });
  // Four parameters, of which Express tells by their number that this one answers errors.
  return (error: unknown, request, response, _next) => {
    const { status, code, message, known, isOutage, isExpected, reason, retryAfterSeconds, faults } =
      toHttpRefusal(error);
    const { method, path } = request;
    const asking = askingOf(request);
    if (!known) logger.error({ err: error, method, path, status, code }, 'request failed');
    metrics.add('tollgate_server_refused_total', { reason });
    if (isOutage) outages.note({ reason, code, status, err: error });
    else if (!isExpected)
      refusals.note({ status, code, reason, instance: asking.instance ?? asking.caller?.name ?? '-', method, path });
    if (retryAfterSeconds !== null) response.set('Retry-After', String(retryAfterSeconds));
    if (response.headersSent) response.destroy();
    else response.status(status).json({ error: { code, message, ...(faults.length === 0 ? {} : { faults }) } });
  };
};
