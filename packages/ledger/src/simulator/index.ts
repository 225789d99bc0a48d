export { OracleViolation } from './findings.ts';
export { UNBROKEN, type Mutation } from './mutation.ts';
export { FULL, planSchedule, type Shape } from './plan.ts';
export { play, type Report } from './play.ts';
export type { Schedule } from './schedule.ts';
export { makeVirtualTime, type VirtualTime } from './virtual-time.ts';
