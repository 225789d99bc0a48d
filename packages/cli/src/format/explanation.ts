/** One call as a person asks about it: who, what, at which price, charged to which budgets, and why that much. */
import type { PriceRow } from '@tollgate/metering';
import type { ExplainedAttempt, ExplainedCounter, Explanation } from '../server/explanation.ts';
import { chargeLines } from './charge-lines.ts';
import { dollars, grouped } from './dollars.ts';
import { printTable } from './table.ts';

export interface ExplanationFacts {
  readonly explanation: Explanation;
  /** The row that priced an attempt, where this build still has that table. */
  readonly rowFor: (attempt: ExplainedAttempt) => PriceRow | null;
  /** What each limit has left now, by `budget/limit`. */
  readonly remaining: ReadonlyMap<string, string>;
}

const SETTLED: Readonly<Record<string, string>> = {
  usage: 'by what the provider reported',
  estimated: 'by a local count, since the provider reported nothing',
  hold: 'at its hold, since nothing better is known',
  abandoned: 'by what was delivered, and a margin: the caller left',
  interrupted: 'at its hold: the proxy died while the call was open',
  void: 'at nothing: no answer was billed',
};

export const printExplanation = ({ explanation, rowFor, remaining }: ExplanationFacts): string => {
  const { requestId, charged, attempts } = explanation;
  const many = attempts.length > 1;
  const parts = attempts.map((attempt) => attemptText(attempt, rowFor(attempt), remaining));
  return [
    `request   ${requestId}\n`,
    ...parts,
    ...(many ? [`\ntotal     ${dollars(charged)} in ${attempts.length} attempts\n`] : []),
  ].join('');
};

const attemptText = (
  attempt: ExplainedAttempt,
  row: PriceRow | null,
  remaining: ReadonlyMap<string, string>,
): string => {
  const { priceRow } = attempt;
  const facts: [string, string][] = [
    [
      'attempt',
      `${attempt.attempt}, ${status(attempt)}, ${new Date(attempt.startedAt).toISOString()}, ${attempt.endedAt - attempt.startedAt} ms`,
    ],
    [
      'caller',
      `${attempt.workload}, team ${attempt.team}${attempt.user === null ? '' : `, user ${attempt.user} (as it says)`}`,
    ],
    ['model', modelText(attempt)],
    [
      'sent to',
      `${attempt.provider}${attempt.backend === null ? '' : `, backend ${attempt.backend}`}${attempt.route === null ? '' : ` of route ${attempt.route}`} (${attempt.format}${attempt.isStream ? ', stream' : ''})`,
    ],
    [
      'price',
      priceRow === null
        ? 'none known'
        : `${priceRow.model}, from ${priceRow.source} of ${priceRow.date}${attempt.priceVersion === null ? '' : `, table ${attempt.priceVersion}`}`,
    ],
    [
      'held',
      `${dollars(attempt.held)}${attempt.isUnproven ? ' (unproven: this call has no bound, a ceiling was held)' : ''}`,
    ],
    ['settled', SETTLED[attempt.settle] ?? attempt.settle],
    ['charged', dollars(attempt.charged)],
  ];
  const head = facts.map(([name, value]) => `${name.padEnd(9)} ${value}\n`).join('');
  return `\n${head}${chargeText(attempt, row)}${budgetText(attempt.counters, remaining)}`;
};

const status = ({ status, settle }: ExplainedAttempt): string =>
  status === null ? (settle === 'interrupted' ? 'interrupted' : 'no answer') : `answered ${status}`;

const modelText = ({ modelAsked, modelSent, modelAnswered }: ExplainedAttempt): string => {
  const asked = modelAsked ?? 'unknown';
  const sent = modelSent === null || modelSent === modelAsked ? '' : `, sent as ${modelSent}`;
  const answered =
    modelAnswered === null || modelAnswered === (modelSent ?? modelAsked) ? '' : `, answered by ${modelAnswered}`;
  return asked + sent + answered;
};

const chargeText = ({ usage, charged }: ExplainedAttempt, row: PriceRow | null): string => {
  const kinds = Object.entries(usage).filter(([, count]) => count !== undefined && count > 0);
  if (kinds.length === 0) return '';
  const sum = row === null ? null : chargeLines(usage, row, charged);
  if (sum === null) return `  usage: ${kinds.map(([kind, count]) => `${grouped(count ?? 0)} ${kind}`).join(', ')}\n`;
  const rows = sum.lines.map(({ kind, count, rate, amount }) => [kind, grouped(count), rate, amount]);
  const end = ['sum', '', sum.factor ?? '', `${dollars(charged)} (rounded up once)`];
  return indent(printTable(['USAGE', 'COUNT', 'RATE', 'AMOUNT'], [...rows, end]));
};

const budgetText = (counters: readonly ExplainedCounter[], remaining: ReadonlyMap<string, string>): string => {
  if (counters.length === 0) return '  no budget matched\n';
  const rows = counters.map((counter) => {
    const of = (amount: bigint): string =>
      counter.unit === 'cost' ? dollars(amount) : `${grouped(amount)} ${counter.unit}`;
    return [
      counter.budget,
      counter.partition === '' ? counter.limit : `${counter.limit} (${counter.partition})`,
      counter.windowId,
      of(counter.held),
      of(counter.charged),
      remaining.get(`${counter.budget}/${counter.limit}`) ?? '-',
      counter.wouldRefuse ? 'would have refused' : '',
    ];
  });
  return indent(printTable(['BUDGET', 'LIMIT', 'WINDOW', 'HELD', 'CHARGED', 'LEFT NOW', ''], rows));
};

const indent = (text: string): string => text.replace(/^(?=.)/gm, '  ');
