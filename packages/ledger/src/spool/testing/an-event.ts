/** Builders for tests of the spool and the wire. */
import type { LedgerEvent } from '../../event.ts';
import type { EventHead, Intent } from '../../intent.ts';

const HEAD: EventHead = {
  requestId: 'tg-1',
  attempt: 1,
  subject: {
    namespace: 'shop',
    workload: 'cart',
    serviceAccount: 'cart',
    pod: 'cart-1',
    labels: { app: 'cart' },
    team: 'shop',
  },
  user: 'u1',
  promptId: null,
  promptVersion: null,
  route: 'shop/default',
  backend: 'openai',
  provider: 'openai',
  format: 'openai-chat',
  modelAsked: 'gpt-5',
  modelSent: 'gpt-5',
  held: 9_007_199_254_740_991n,
  priceVersion: '2026-11-01',
  priceRow: { model: 'openai/gpt-5', source: 'genai-prices', date: '2026-11-01' },
  unproven: false,
  stream: true,
  startedAt: 1_795_000_000_000,
};

const COUNTER = {
  budget: 'shop/monthly',
  limit: 'cost',
  partition: 'Zoë',
  windowId: '2026-11-21T00:00Z/Day',
  epoch: 'e1',
};

export const anIntent = (seq: number, more: Partial<Intent> = {}): Intent => ({
  instance: 'i1',
  seq,
  head: HEAD,
  counters: [{ ...COUNTER, held: 10n }],
  ...more,
});

export const anEvent = (seq: number, more: Partial<LedgerEvent> = {}): LedgerEvent => ({
  instance: 'i1',
  seq,
  ...HEAD,
  modelAnswered: 'gpt-5-2026',
  usage: { input: 10, cachedInput: 2, output: 7 },
  settle: 'usage',
  charged: 4n,
  status: 200,
  endedAt: 1_795_000_000_900,
  counters: [{ ...COUNTER, held: 10n, charged: 4n, wouldRefuse: true }],
  ...more,
});

export const aGrant = (epoch = 'e1') => ({
  budget: 'shop/monthly',
  limit: 'cost',
  partition: '',
  leaseId: 'l1',
  epoch,
  window: { id: 'w1', start: 0, end: null },
  remainingMs: null,
  amount: 50n,
  left: 100n,
});
