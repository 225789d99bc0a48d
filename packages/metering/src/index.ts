export * from './money.ts';
export * from './price.ts';
export * from './usage.ts';
