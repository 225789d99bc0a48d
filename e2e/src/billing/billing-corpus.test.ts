import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { PriceRow, Usage } from '@tollgate/metering';
import { bound, charge, estimateAbandoned, estimateMissing } from '@tollgate/metering';
import { fromSnapshotRow, toSnapshotRow } from '@tollgate/prices';
import { shippedPriceTable } from '@tollgate/prices/data';
import type { Answer } from '@tollgate/providers';
import { FORMATS, makeStreamMeter, readAnswer } from '@tollgate/providers';
import type { BillingRow } from './corpus.ts';
import { billingCorpus } from './corpus.ts';

const corpus = billingCorpus();
const table = shippedPriceTable();
const cases = corpus.map((row) => [row.id, row] as const);

const priceOf = ({ price, provider, model }: BillingRow): PriceRow =>
  fromSnapshotRow({
    provider,
    model,
    free: false,
    source: price.row,
    date: '2026-11-21',
    tiers: price.tiers,
    units: price.units,
  });

/** Streams are cut into pieces of this many bytes: a usage object and a character come in parts. */
const PIECES = [1, 7, 64, 1_000_000] as const;

const read = (row: BillingRow, piece: number): Answer => {
  if (row.events === undefined) return readAnswer(row.format, Buffer.from(JSON.stringify(row.answer)));
  const seen = row.events.slice(0, row.settle?.abortAfterEvents ?? row.events.length);
  const bytes = Buffer.from(seen.join(''));
  const meter = makeStreamMeter(row.format, { strip: false });
  for (let at = 0; at < bytes.length; at += piece) meter.push(bytes.subarray(at, at + piece));
  meter.end();
  return meter.answer();
};

const settled = (row: BillingRow, answer: Answer): { readonly usage: Usage; readonly charged: bigint } => {
  const price = priceOf(row);
  const { settle } = row;
  if (settle === undefined) {
    if (answer.usage === null) throw new Error('the answer has no usage');
    return { usage: answer.usage, charged: charge(answer.usage, price) };
  }
  const most = bound({
    ...settle.request,
    imageBytes: 0,
    ascii: true,
    tools: 0,
    images: [],
    choices: 1,
    contextWindow: null,
    unboundable: false,
    format: row.format,
    cacheWrite: null,
    priced: price,
  });
  expect(most).toMatchObject(settle.bound);
  if (settle.as === 'hold') return { usage: {}, charged: most.cost };
  const facts = {
    known: answer.floor,
    requestBytes: settle.request.bytes,
    deliveredBytes: answer.deliveredBytes,
    bound: most,
  };
  const usage = settle.as === 'abandoned' ? estimateAbandoned(facts) : estimateMissing(facts);
  return { usage, charged: charge(usage, price) };
};

/** Zero of a kind and no word of it are the same to a bill. */
const counted = (usage: Usage): Record<string, number> =>
  Object.fromEntries(Object.entries(usage).filter(([, count]) => count > 0));

describe('the golden billing corpus', () => {
  it.each(cases)('%s costs what its row says, however its bytes arrive', (_id, row) => {
    for (const piece of row.events === undefined ? [0] : PIECES) {
      const answer = read(row, piece);
      const { usage, charged } = settled(row, answer);
      expect(counted(usage)).toEqual(counted(row.usage));
      expect(String(charged)).toBe(row.charge);
      if (row.settle?.as !== 'hold') expect(answer.model ?? row.model).toBe(row.model);
      if (row.settle !== undefined) {
        expect(answer.usage).toBeNull();
        expect(answer.deliveredBytes).toBe(row.settle.deliveredBytes);
      }
    }
  });

  it.each(cases)('%s is priced as the shipped table prices that model', (_id, { price, provider, model }) => {
    const found = table.lookup(provider, model);
    expect(price.shipped && found.kind).toBe('known');
    if (found.kind === 'known') {
      expect(`${found.row.provider}/${found.row.model}`).toBe(price.row);
      expect(toSnapshotRow(found.row)).toMatchObject({ tiers: price.tiers, units: price.units });
    }
  });

  it('has a stream that costs what its twin costs, for each', () => {
    const twins = Map.groupBy(corpus, ({ twin }) => twin);
    let pairs = 0;
    for (const rows of twins.values()) {
      expect(new Set(rows.map((row) => row.charge)).size).toBe(1);
      if (rows.some((row) => row.events === undefined) && rows.some((row) => row.events !== undefined)) pairs += 1;
    }
    expect(pairs).toBeGreaterThan(40);
  });

  it('counts cached tokens once', () => {
    const cached = corpus.filter((row) => (row.usage.cachedInput ?? 0) > 0 && row.settle === undefined);
    expect(cached.length).toBeGreaterThan(15);
    for (const row of cached) {
      const { cachedInput = 0, ...others } = row.usage;
      const price = priceOf(row);
      // Every cached token as a plain one costs more, by exactly the difference of the two rates.
      const plain = charge({ ...others, input: (others.input ?? 0) + cachedInput }, price);
      expect(plain > BigInt(row.charge)).toBe(true);
    }
  });

  it('never lets an abort be free, and charges more the more was delivered', () => {
    const aborted = corpus.filter((row) => row.settle?.as === 'abandoned');
    expect(aborted.length).toBeGreaterThan(15);
    for (const row of aborted) expect(BigInt(row.charge) > 0n).toBe(true);
    const byCall = Map.groupBy(aborted, ({ format, provider }) => `${format}/${provider}`);
    for (const rows of byCall.values()) {
      const charges = rows
        .toSorted((a, b) => (a.settle?.abortAfterEvents ?? 0) - (b.settle?.abortAfterEvents ?? 0))
        .map((row) => BigInt(row.charge));
      charges.slice(1).forEach((amount, index) => expect(amount >= (charges[index] ?? 0n)).toBe(true));
    }
  });

  it('covers every format, and names source, policy and arithmetic in every row', () => {
    expect(new Set(corpus.map(({ format }) => format))).toEqual(new Set(FORMATS));
    expect(new Set(corpus.map(({ id }) => id)).size).toBe(corpus.length);
    for (const row of corpus) {
      expect(row.usageSource).toMatch(/; read \d{4}-\d\d-\d\d$/);
      expect(row.arithmetic.endsWith(`= ${row.charge}`)).toBe(true);
      if (row.settle !== undefined) expect(row.settle.policy).toMatch(/Hard|Soft|Cancel|Strict/);
    }
  });

  it('comes out the same in the Python script, which shares nothing with this code', () => {
    const { status, stdout, stderr } = recompute();
    expect(stderr).toBe('');
    expect(stdout).toContain(`${corpus.length} of ${corpus.length} rows agree`);
    expect(status).toBe(0);
  });

  it.each([
    ['a charge that is one nano off', (row: BillingRow) => ({ ...row, charge: String(BigInt(row.charge) + 1n) })],
    [
      'a usage that counts a token twice',
      (row: BillingRow) => ({ ...row, usage: { ...row.usage, input: 1 + (row.usage.input ?? 0) } }),
    ],
    ['another price', (row: BillingRow) => ({ ...row, price: { ...row.price, units: { request: '1' } } })],
    ['an arithmetic that leads elsewhere', (row: BillingRow) => ({ ...row, arithmetic: '1 + 1 = 2' })],
  ])('is refused by the script for %s, and the row is named', (_what, spoil) => {
    const folder = mkdtempSync(join(tmpdir(), 'billing-corpus-'));
    const [row, ...others] = corpus.filter(({ settle }) => settle === undefined);
    if (row === undefined) throw new Error('the corpus is empty');
    writeFileSync(join(folder, 'spoilt.json'), JSON.stringify([spoil(row), ...others]));
    const { status, stderr } = recompute(folder);
    rmSync(folder, { recursive: true });
    expect(status).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(row.id)]);
  });
});

const recompute = (...folder: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync('python3', [fileURLToPath(new URL('./recompute.py', import.meta.url)), ...folder], { encoding: 'utf8' });
