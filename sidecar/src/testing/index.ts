/** For the acceptance tests: a whole proxy in the test's own process. */
export { startHarness, type Harness, type HarnessOptions } from './harness.ts';
export { makeMemoryControlPlane, type MemoryControlPlane } from './memory-control-plane.ts';
export { aChat, callJson, type CallAnswer } from './call.ts';
export { aBackend, aLimit, aRule, aSnapshot, aSnapshotBudget, aSnapshotRoute, makeMockPrices } from './objects.ts';
