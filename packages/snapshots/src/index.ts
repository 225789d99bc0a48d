/** From manifests to the snapshot of one subject. */
export { compileSnapshot, type SnapshotInput } from './snapshot.ts';
export { compileBudget, compileLimit } from './budget.ts';
export { bindBudget, bindsBudget, bindsRoute, type Place } from './binding.ts';
