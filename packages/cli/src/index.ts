export { buildProgram } from './program.ts';
export { run } from './run.ts';
export type { Io, Programs } from './io.ts';
