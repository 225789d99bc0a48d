export { runServer, type ServerProcess, type ServerProcessOptions } from './run-server.ts';
export { runStandalone } from './run-standalone.ts';
export type { ManifestReport, Standalone, StandaloneOptions, StandalonePrograms } from './options.ts';
export type { ProxyUpstreams } from './policy/mock-snapshot.ts';
export type { KubernetesTokenSettings, SignedTokenSettings, TokenSettings } from './token-settings.ts';
export { StandaloneError, type StandaloneErrorCode } from './standalone-error.ts';
export { defaultStatePath, stateDirOf, type ServeRecord, type StateDir } from './state/state-dir.ts';
