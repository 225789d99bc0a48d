export * from './counter.ts';
export * from './event.ts';
export * from './lease-port.ts';
