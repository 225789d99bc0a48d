export { OracleViolation } from './findings.ts';
export { UNBROKEN, type Mutation } from './mutation.ts';
export { FULL, type Shape } from './plan-shape.ts';
export { planSchedule } from './plan.ts';
export { play, type Report } from './play.ts';
export type { Schedule } from './schedule.ts';
export { makeVirtualTime, type VirtualTime } from './virtual-time.ts';
