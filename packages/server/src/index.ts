export { bearerToken, type Authenticate, type Caller } from './authenticate.ts';
export { SERVER_METRICS } from './metrics.ts';
export type { Resources } from './resources/resources-in-force.ts';
export { buildServer, type PoolDeps, type ServerDeps, type TollgateServer } from './server.ts';
export { spanText, type BudgetColumns, type BudgetReason, type BudgetView } from './status/budget-status.ts';
export type { LimitFigures } from './status/limit-figures.ts';
