export type { Abandonment } from './abandonment.ts';
export type { BackendTraffic, TrafficScope } from './backend-traffic.ts';
export { SLOT_MS } from './charge-booking.ts';
export type { ConnectedNews, ConnectedProxy, ProxyRunning } from './connected-proxies.ts';
export type { PodName } from './silent-pods.ts';
export type { CounterUsage } from './counter-usage.ts';
export type { ExplainedAttempt, ExplainedCharge } from './explain.ts';
export type { OldMonths } from './event-months.ts';
export type { Ingested } from './ingest.ts';
export type { InstanceRow } from './instances.ts';
export type { LimitDefinition } from './limit-definitions.ts';
export { MigrationMismatch, type MigrationState } from './migrate.ts';
export {
  OPERATOR_DOCUMENTS,
  type DocumentWriting,
  type OperatorDocument,
  type OperatorDocumentName,
} from './operator-documents.ts';
export { openStore, type StoreOptions } from './open-store.ts';
export type { SeedEvent, SeedSource } from './seed.ts';
export { isSeedDue, spanStart } from './seed-span.ts';
export { openSchema, type Schema, type SchemaOptions } from './schema.ts';
export type { IngestContext, Store } from './store.ts';
export { StoreRefused } from './store-refused.ts';
export { StoreUnavailable, type UnavailableReason } from './store-unavailable.ts';
export type { StoredTally } from './tallies.ts';
export type { LostInstance, OverdueRelease, Release, Unresolved } from './unresolved.ts';
export { USAGE_BY, type UsageBy, type UsageRow } from './usage-report.ts';
export type { Wait, Waiting } from './wait-for-database.ts';
