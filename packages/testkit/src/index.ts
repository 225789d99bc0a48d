export { startMockProvider } from './provider/mock-provider.ts';
export type { MockProvider, MockProviderOptions } from './provider/mock-provider.ts';
export { billedNano, totalBilled } from './provider/bill.ts';
export type { BilledCall, MockPrice, MockPrices, MockRates } from './provider/bill.ts';
export { BEHAVIOUR_KEYS, BehaviourFault, readBehaviour, USAGE_LIES } from './provider/behaviour.ts';
export type { Behaviour, UsageLie } from './provider/behaviour.ts';
export type { MockUsage } from './provider/mock-usage.ts';
export type { ScriptRule } from './provider/script.ts';
export { countText, MESSAGE_TOKENS } from './provider/token-count.ts';
