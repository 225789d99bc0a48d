/** Sound inputs of every boundary: what the billing corpus holds, and one of each of the rest. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { parseManifestFiles, type Resource } from '@tollgate/api/schema';
import type { Grant } from '@tollgate/ledger';
import { makeMemoryDisk, openSpool } from '@tollgate/ledger/spool';
import {
  encodeAcquireRequest,
  encodeAcquireResult,
  encodeClose,
  encodeEvents,
  encodeGiveBack,
  encodeHello,
  encodeHelloReply,
  encodeIntent,
  encodeRecall,
} from '@tollgate/ledger/wire';
import { FORMATS, type FormatId } from '@tollgate/providers';
import { makePriceTable, type PriceTable } from '@tollgate/prices';
import { tableOn, priceFile } from '@tollgate/prices/data';
import { compileSnapshot } from '@tollgate/snapshots';
import { anEvent } from '@tollgate/store/testing';

export type Seeds = readonly [Buffer, ...Buffer[]];

export const bytesOf = (...texts: readonly string[]): Seeds => {
  const [first = '', ...rest] = texts;
  return [Buffer.from(first), ...rest.map((text) => Buffer.from(text))];
};

const corpusOf = (format: FormatId): readonly { answer?: unknown; events?: readonly string[] }[] =>
  JSON.parse(readFileSync(new URL(`../billing/corpus/${format}.json`, import.meta.url), 'utf8'));

const byFormat = (make: (format: FormatId) => Seeds): Readonly<Record<FormatId, Seeds>> => ({
  'openai-chat': make('openai-chat'),
  'openai-completions': make('openai-completions'),
  'openai-responses': make('openai-responses'),
  'openai-embeddings': make('openai-embeddings'),
  'anthropic-messages': make('anthropic-messages'),
  'gemini-generate': make('gemini-generate'),
});

export const ANSWERS = byFormat((format) =>
  bytesOf(...corpusOf(format).flatMap(({ answer }) => (answer === undefined ? [] : [JSON.stringify(answer)])), '{}'),
);

export const STREAMS = byFormat((format) =>
  bytesOf(
    ...corpusOf(format).flatMap(({ events }) => (events === undefined ? [] : [events.join('')])),
    'data: [DONE]\n\n',
  ),
);

const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const TOOL = { type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } };
const PARTS = [
  { type: 'text', text: 'h\u00e9llo' },
  { type: 'image_url', image_url: { url: `data:image/png;base64,${PICTURE}`, detail: 'low' } },
];

const REQUEST_BODIES: Readonly<Record<FormatId, readonly unknown[]>> = {
  'openai-chat': [
    { model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }], max_tokens: 5, stream: true, user: 'u' },
    { model: 'o3', messages: [{ role: 'user', content: PARTS }], tools: [TOOL], n: 2, max_completion_tokens: null },
    { model: 'm', messages: [], stream: true, stream_options: { include_usage: false }, service_tier: 'priority' },
  ],
  'openai-completions': [{ model: 'm', prompt: ['a', 'b'], best_of: 3, n: 2, max_tokens: 16, logprobs: 5 }],
  'openai-responses': [
    { model: 'gpt-5', input: 'hi', max_output_tokens: 20, stream: false },
    { model: 'gpt-5', input: [{ role: 'user', content: [{ type: 'input_text', text: 'x' }] }], background: true },
  ],
  'openai-embeddings': [
    { model: 'text-embedding-3-small', input: ['a', 'b'] },
    { model: 'm', input: [[1, 2, 3]] },
  ],
  'anthropic-messages': [
    { model: 'claude-sonnet-4-5', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }], stream: true },
    {
      model: 'c',
      max_tokens: 9,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [
        {
          role: 'user',
          content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PICTURE } }],
        },
      ],
      metadata: { user_id: 'u' },
    },
  ],
  'gemini-generate': [
    { contents: [{ parts: [{ text: 'hi' }] }], generationConfig: { maxOutputTokens: 8, candidateCount: 2 } },
    { contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: PICTURE } }] }], generationConfig: null },
  ],
};

export const REQUESTS = byFormat((format) => bytesOf(...REQUEST_BODIES[format].map((body) => JSON.stringify(body))));

export const PATHS = bytesOf(
  'POST /v1/chat/completions',
  'POST /openai/v1/responses?x=1',
  'GET /v1/models',
  'POST /anthropic/v1/messages/count_tokens',
  'POST /gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
  'POST /azure/openai/deployments/d/chat/completions?api-version=2024-10-21',
  'DELETE //v1/..%2fadmin;x',
);

const COUNTER = { budget: 'shop/monthly', limit: 'cost', partition: '' };
const SUBJECT = { namespace: 'shop', workload: 'cart', labels: { app: 'cart' }, team: 'shop' };
const GRANT: Grant = {
  ...COUNTER,
  leaseId: 'e1.1',
  epoch: 'e1',
  window: { id: 'w', start: 0, end: 86_400_000 },
  remainingMs: 5,
  amount: 9_007_199_254_740_991n,
  left: 3n,
};
const HOLD = { ...COUNTER, windowId: 'w', epoch: 'e1', held: 9n };
const EVENT = anEvent({ counters: [{ ...HOLD, charged: 4n, wouldRefuse: true }] });
const { charged: _, counters: __, ...HEAD } = EVENT;
const INTENT = { instance: EVENT.instance, seq: EVENT.seq, head: HEAD, counters: [HOLD] };

export const LEDGER = {
  hello: encodeHello({ contract: 1, instance: 'i1', version: '1', subject: SUBJECT }),
  helloReply: encodeHelloReply({ organisation: 'o', epoch: 'e1', subject: SUBJECT, liveProxies: 3, ledgerTimeMs: 5 }),
  lease: encodeAcquireRequest({ instance: 'i1', seq: 1, needs: [{ ...COUNTER, need: 10n, prefer: 50n }] }),
  grant: encodeAcquireResult({ granted: true, grants: [GRANT] }),
  denial: encodeAcquireResult({
    granted: false,
    reason: 'held',
    counter: COUNTER,
    need: 1n,
    limit: 2n,
    left: 1n,
    resetMs: null,
  }),
  giveBack: encodeGiveBack({
    instance: 'i1',
    seq: 2,
    returns: [{ ...COUNTER, leaseId: 'e1.1', windowId: 'w', epoch: 'e1', amount: 3n }],
  }),
  events: encodeEvents({ instance: EVENT.instance, events: [EVENT] }),
  close: encodeClose({ instance: 'i1', epoch: 'e1', lastSeq: 7 }),
  intent: encodeIntent(INTENT),
  recall: encodeRecall([COUNTER]),
};

const quickstart = new URL('../../../examples/quickstart/', import.meta.url);
export const MANIFESTS = readdirSync(quickstart)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(new URL(name, quickstart), 'utf8'));

/** Not all two thousand: each round would be spent in them. */
const FEW_PRICES = ((): PriceTable => {
  const table = tableOn(priceFile, priceFile.date);
  return makePriceTable({ ...table, rows: table.rows.filter(({ model }) => model.startsWith('gpt-4o')), aliases: {} });
})();

/** What a proxy of the quickstart is sent. */
export const SNAPSHOT = ((): string => {
  const { resources } = parseManifestFiles(MANIFESTS.map((text, at) => ({ name: `${String(at)}.yaml`, text })));
  const ofKind = <K extends Resource['kind']>(kind: K): Extract<Resource, { kind: K }>[] =>
    resources
      .map(({ resource }) => resource)
      .filter((resource): resource is Extract<Resource, { kind: K }> => resource.kind === kind);
  const snapshot = compileSnapshot({
    organisation: 'o',
    subject: { namespace: 'default', workload: 'local', labels: {}, team: 'default' },
    budgets: ofKind('TokenBudget'),
    routes: ofKind('ModelRoute'),
    inferenceServices: [],
    prices: FEW_PRICES,
    systemNamespace: 'tollgate-system',
    hash: (text) => createHash('sha256').update(text).digest('hex'),
  });
  return JSON.stringify(snapshot);
})();

/** A spool with a record of every common kind, and the name of the file that they lie in. */
export const SPOOL = ((): { readonly name: string; readonly bytes: Buffer } => {
  const disk = makeMemoryDisk();
  const spool = openSpool({ disk });
  spool.epoch('instance', 'e1');
  spool.lease('instance', GRANT);
  spool.intent(INTENT);
  spool.settle(EVENT);
  spool.intent({ ...INTENT, seq: 2 });
  spool.close();
  const [name, file] = [...disk.files].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? ['', null];
  return { name, bytes: file === null ? Buffer.alloc(0) : Buffer.from(file.bytes.subarray(0, file.length)) };
})();

if (FORMATS.length !== Object.keys(REQUESTS).length) throw new Error('a format without seeds');
