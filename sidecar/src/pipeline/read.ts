/**
 * Reads the body and its priced keys. The body is held whole, since a call that is refused or tried again upstream
 * needs it, within a bound for one call and one for the process; it is scanned, never parsed.
 */
import { readEnvelope } from '@tollgate/providers';
import { makeBodyBuffer, type BodyBuffer } from './body-buffer.ts';
import { refuse, type Refusal } from '../refusal.ts';
import type { BufferBudget } from './buffer-budget.ts';
import type { Exchange, Outcome, Stage } from '../exchange.ts';

export interface ReadDeps {
  readonly bodyBytes: number;
  readonly buffered: BufferBudget;
}

const JSON_TYPE = /^application\/(?:[a-z0-9.+-]{1,64}\+)?json\s*(?:;|$)/i;

export const read = ({ bodyBytes, buffered }: ReadDeps): Stage => {
  return function read(exchange) {
    const { req } = exchange;
    const type = req.headers['content-type'];
    if (type === undefined || !JSON_TYPE.test(type)) {
      return refuse('unsupported_media_type', 'send the request as Content-Type: application/json', {
        param: 'content-type',
      });
    }
    const encoding = req.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      return refuse(
        'unsupported_encoding',
        'an encoded request body cannot be priced; send it without Content-Encoding',
        { param: 'content-encoding' },
      );
    }
    if (Number(req.headers['content-length'] ?? 0) > bodyBytes) return tooLarge(bodyBytes);
    return collect(exchange);
  };

  function collect(exchange: Exchange): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const { req, res } = exchange;
      let body: BodyBuffer | null = makeBodyBuffer(Number(req.headers['content-length'] ?? bodyBytes));
      let bytes = 0;
      let settled = false;
      const finish = (outcome: Outcome): void => {
        if (settled) return;
        settled = true;
        body = null;
        resolve(outcome);
      };
      res.on('close', () => {
        buffered.give(bytes);
        exchange.body = null;
        finish('answered');
      });
      req.on('data', (chunk: Buffer) => {
        if (body === null) return;
        if (bytes + chunk.length > bodyBytes) {
          finish(tooLarge(bodyBytes));
        } else if (!buffered.take(chunk.length)) {
          finish(refuse('busy', 'too many request bodies are in memory at once'));
        } else {
          bytes += chunk.length;
          body.push(chunk);
        }
      });
      req.on('end', () => {
        inTurn(bytes, () => {
          if (body === null) return;
          try {
            const outcome = takeBody(exchange, body.whole());
            inTurn(bytes, () => {
              finish(outcome);
            });
          } catch (error) {
            reject(error instanceof Error ? error : new Error('reading a body', { cause: error }));
          }
        });
      });
      req.on('error', () => {
        finish('answered');
      });
    });
  }
};

/** Copied, scanned (a millisecond a MiB) and sent in turns of its own each, so that other calls go on in between. */
const LONG_BYTES = 1024 * 1024;

const inTurn = (bytes: number, next: () => void): void => {
  if (bytes > LONG_BYTES) setImmediate(next);
  else next();
};

const takeBody = (exchange: Exchange, body: Buffer): Refusal | undefined => {
  const { destination } = exchange;
  if (destination === null) throw new Error('read: no destination; identify must run first');
  const result = readEnvelope(destination.format, body, {
    model: destination.modelInPath,
    stream: destination.streamInPath,
  });
  if (!result.ok) {
    const { status, code, message, param } = result.fault;
    return { ...refuse('invalid_body', message, { param, status }), code };
  }
  exchange.body = body;
  exchange.envelope = result.envelope;
  exchange.model = result.envelope.model ?? destination.modelInPath;
  exchange.stream = result.envelope.stream || destination.streamInPath;
  return undefined;
};

const tooLarge = (bodyBytes: number): Refusal =>
  refuse('request_too_large', `the request body is larger than ${String(bodyBytes)} bytes`);
