export { OracleViolation } from './oracle.ts';
export { PROFILES, type Breakage, type Profile } from './profile.ts';
export { simulate, type SimulationOptions, type SimulationReport } from './simulate.ts';
export { makeVirtualTime, type VirtualTime } from './virtual-time.ts';
