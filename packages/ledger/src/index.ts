export * from './counter.ts';
export * from './event.ts';
export * from './intent.ts';
export * from './lease-port.ts';
export * from './ledger-refused.ts';
export * from './session.ts';
