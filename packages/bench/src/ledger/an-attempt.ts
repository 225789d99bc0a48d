/** One attempt of the bench: what the spool, the wire and the ledger see of it. */
import type { CounterHold, Intent, LedgerEvent } from '@tollgate/ledger';

const COUNTER: CounterHold = {
  budget: 'rich/bench',
  limit: 'cost',
  partition: '',
  windowId: '2026-11-21T00:00Z/Day',
  epoch: 'bench-epoch',
  held: 210_000n,
};

export const anIntent = (instance: string, seq: number, counters: readonly CounterHold[] = [COUNTER]): Intent => ({
  instance,
  seq,
  head: {
    requestId: `tg-${instance}-${seq.toString(36)}`,
    attempt: 1,
    subject: { namespace: 'rich', workload: 'bench', labels: {}, team: 'rich' },
    user: null,
    promptId: null,
    promptVersion: null,
    route: null,
    backend: null,
    provider: 'openai',
    format: 'openai-chat',
    modelAsked: 'gpt-4o-mini',
    modelSent: 'gpt-4o-mini',
    held: 210_000n,
    priceVersion: '2026-11-21-bench',
    priceRow: { model: 'openai/gpt-4o-mini', source: 'bench', date: '2026-11-21' },
    unproven: false,
    stream: false,
    startedAt: 1_795_219_200_000 + seq,
  },
  counters,
});

export const aSettledEvent = ({ instance, seq, head, counters }: Intent): LedgerEvent => ({
  instance,
  seq,
  ...head,
  modelAnswered: 'gpt-4o-mini-2024-07-18',
  usage: { input: 20, output: 150 },
  settle: 'usage',
  charged: 93_000n,
  status: 200,
  endedAt: head.startedAt + 800,
  counters: counters.map((counter) => ({ ...counter, charged: 93_000n })),
});
