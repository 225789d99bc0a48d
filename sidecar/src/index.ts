/** For processes that run a proxy inside themselves, and for tests. */
export { readConfig, type Limits, type ProxyConfig } from './config.ts';
export { PROXY_METRICS } from './metrics.ts';
export { startProxy, type ProxyStart, type RunningProxy } from './start-proxy.ts';
