/**
 * The operator process: reads its settings, connects to the API server and to the server, starts, and stops on a signal.
 * The only file of it that knows `process`.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import {
  CONFIG_EXIT_CODE,
  ConfigFault,
  VERSION,
  layeredEnv,
  makeLogger,
  monotonicClock,
  onStopSignals,
  readEnv,
  systemTimers,
} from '@tollgate/runtime';
import { readOperatorConfig } from './config.ts';
import { injectionFacts } from './injection-facts.ts';
import { makeKubeClient } from './kube/kube-client.ts';
import { loadKubeConfig } from './kube/kube-config.ts';
import { makeKubeConnection } from './kube/kube-connection.ts';
import { makeOperatorMetrics } from './metrics.ts';
import { makeServerClient } from './programming/server-client.ts';
import { readInjectionSettings } from './read-injection-settings.ts';
import { startOperator } from './start-operator.ts';

/** For one question to the server; a list of many budgets takes a while. */
const SERVER_TIMEOUT_MS = 15_000;

const main = async (): Promise<void> => {
  const env = layeredEnv({ env: process.env, envFile: '.env', file: process.env['TOLLGATE_CONFIG'] });
  const config = readEnv(env, readOperatorConfig);
  const log = makeLogger({ process: 'operator', level: config.logLevel, version: VERSION });
  const metrics = makeOperatorMetrics();
  const connection = makeKubeConnection({
    config: loadKubeConfig({ kubeconfig: config.kubeconfig }),
    userAgent: `tollgate-operator/${VERSION}`,
  });
  const api = makeKubeClient({ connection, timers: systemTimers, metrics });
  const client = makeServerClient({
    url: config.serverUrl,
    // Read anew each time: the kubelet rotates it.
    token: () => readFileSync(config.tokenFile, 'utf8').trim(),
    timeoutMs: SERVER_TIMEOUT_MS,
    fetch,
  });
  const settings = config.injectionFile === null ? null : readInjectionSettings(config.injectionFile);
  const operator = await startOperator({
    config,
    api,
    client,
    injection: injectionFacts(settings, { ...config, version: VERSION }),
    metrics,
    identity: `${config.lease.holder ?? hostname()}_${randomUUID()}`,
    timers: systemTimers,
    clock: monotonicClock,
    now: Date.now,
    random: Math.random,
    log,
  });
  const stop = (exitCode: number): void => {
    void operator.stop().then(({ firstError, late }) => {
      connection.close();
      if (firstError !== null) log.error({ err: firstError.error, step: firstError.name }, 'a release failed');
      if (late.length > 0) log.warn({ late: late.join(', ') }, 'stopped with work left over');
      process.exit(firstError === null && late.length === 0 ? exitCode : 1);
    });
  };
  onStopSignals(process, {
    stop: ({ signal, reason }) => {
      log.info({ signal, reason }, 'stopping');
      stop(0);
    },
    force: ({ exitCode }) => process.exit(exitCode),
  });
  void operator.broken.then((reason) => {
    // A new process begins with nothing of this one's term.
    log.error({ reason }, 'stopping, to begin anew');
    stop(1);
  });
  log.info({ address: operator.adminUrl, pid: process.pid }, 'ready');
};

main().catch((error: unknown) => {
  if (error instanceof ConfigFault) {
    process.stderr.write(`${error.message}\n`);
    process.exit(CONFIG_EXIT_CODE);
  }
  makeLogger({ process: 'operator', level: 'error' }).error({ err: error }, 'could not start');
  process.exit(1);
});
