export * from './caller-wire.ts';
export * from './contract-mismatch.ts';
export * from './event-wire.ts';
export * from './lease-wire.ts';
export * from './sealed-event.ts';
export * from './session-wire.ts';
export * from './stream-wire.ts';
export * from './wire-fault.ts';
export { parseJson, parseNames } from './fields.ts';
