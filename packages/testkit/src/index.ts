export { startMockProvider } from './provider/mock-provider.ts';
export type { MockProvider, MockProviderOptions } from './provider/mock-provider.ts';
export { billedNano, totalBilled } from './provider/bill.ts';
export type { BilledCall, MockPrice, MockPrices, MockRates } from './provider/bill.ts';
export { BEHAVIOUR_KEYS, BehaviourFault, readBehaviour, USAGE_LIES } from './provider/behaviour.ts';
export type { Behaviour, UsageLie } from './provider/behaviour.ts';
export type { MockUsage } from './provider/mock-usage.ts';
export type { ScriptRule } from './provider/script.ts';
export { countText, MESSAGE_TOKENS } from './provider/token-count.ts';
export { lendOuterDispatcher } from './outer-dispatcher.ts';
export { runMockProvider, DEFAULT_PORT as MOCK_PROVIDER_PORT } from './run-mock-provider.ts';
export type { RunningMockProvider, RunOptions } from './run-mock-provider.ts';
export { MALFORMED_ANSWERS, startRawUpstream } from './raw-upstream.ts';
export type { RawCall, RawHandler, RawUpstream } from './raw-upstream.ts';
export { startTcpFaultProxy } from './network/tcp-fault-proxy.ts';
export type { FlowFault } from './network/flow.ts';
export type { Endpoint, LinkChange, LinkFault, TcpFaultProxy } from './network/tcp-fault-proxy.ts';
export { sendRaw } from './raw-http.ts';
export type { RawAnswer, RawOptions } from './raw-http.ts';
export { readSse } from './sse-client.ts';
export type { SseEvent } from './sse-client.ts';
export { makeFakeClock } from './fake-clock.ts';
export type { FakeClock } from './fake-clock.ts';
export {
  aBackend,
  aBudget,
  aLimit,
  aPriceRow,
  aRoute,
  aRule,
  aSnapshot,
  aSnapshotBudget,
  aSnapshotRoute,
  aSubject,
} from './builders.ts';
export type { BudgetStatement, RouteStatement } from './builders.ts';
export { LIST_PRICES } from './provider/list-prices.ts';
