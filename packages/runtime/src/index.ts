export {
  startAdminServer,
  type AdminProbes,
  type AdminServer,
  type AdminServerOptions,
  type ProbeAnswer,
} from './admin-server.ts';
export { CONFIG_EXIT_CODE, ConfigFault, type SettingFault } from './config-fault.ts';
export { readEnv, type Env, type EnvReader } from './env-reader.ts';
export { listenUrl, parseListen, type ListenAddress } from './listen-address.ts';
export { LOG_FIELDS, type LogField, type LogFields, type LogValue } from './log-fields.ts';
export { LOG_LEVELS, makeLogger, silentLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export {
  makeMetrics,
  metricsTable,
  type MetricDoc,
  type Metrics,
  type MetricSample,
  type MetricsOptions,
} from './metrics.ts';
export { makeReleases, type ReleaseReport, type Releases } from './releases.ts';
export { layeredEnv, readLayers, type SettingLayers, type SettingSources } from './setting-layers.ts';
export { onStopSignals, STOP_SIGNALS, type SignalSource, type StopHandlers, type StopSignal } from './signals.ts';
export { monotonicClock, systemTimers, wallClock, type Timers } from './timers.ts';
export { VERSION } from './version.ts';
