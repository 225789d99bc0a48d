/**
 * The injector process: reads its settings, starts, and stops on a signal. The only file of it that knows `process`, and
 * where the API server is.
 */
import { randomUUID } from 'node:crypto';
import {
  CONFIG_EXIT_CODE,
  ConfigFault,
  VERSION,
  makeLogger,
  monotonicClock,
  onStopSignals,
  readEnv,
  systemTimers,
} from '@tollgate/runtime';
import { makeKubeClient } from './kube/kube-client.ts';
import { loadKubeConfig } from './kube/kube-config.ts';
import { makeKubeConnection } from './kube/kube-connection.ts';
import { askKubernetesMinor } from './webhook/kubernetes-minor.ts';
import { readInjectorConfig } from './webhook/injector-config.ts';
import { startInjector } from './webhook/start-injector.ts';

const main = async (): Promise<void> => {
  const config = readEnv(process.env, readInjectorConfig);
  const log = makeLogger({ process: 'injector', level: config.logLevel, version: VERSION });
  const connection = makeKubeConnection({
    config: loadKubeConfig({ kubeconfig: config.kubeconfig }),
    userAgent: `tollgate-injector/${VERSION}`,
  });
  const injector = await startInjector({
    config,
    connect: (metrics) => makeKubeClient({ connection, timers: systemTimers, metrics }),
    kubernetesMinor: () => askKubernetesMinor(connection, log),
    timers: systemTimers,
    clock: monotonicClock,
    wallClock: Date.now,
    random: Math.random,
    instance: config.instance ?? randomUUID(),
    log,
  });
  onStopSignals(process, {
    stop: ({ signal, reason }) => {
      log.info({ signal, reason }, 'stopping');
      void injector.stop().then(({ firstError, late }) => {
        connection.close();
        if (firstError !== null) log.error({ err: firstError.error, step: firstError.name }, 'a release failed');
        if (late.length > 0) log.warn({ late }, 'stopped with work left over');
        process.exit(firstError === null && late.length === 0 ? 0 : 1);
      });
    },
    force: ({ exitCode }) => process.exit(exitCode),
  });
  // Last: who reads it may tell us to stop at once.
  log.info({ url: injector.url, address: injector.adminUrl, pid: process.pid }, 'started');
};

main().catch((error: unknown) => {
  if (error instanceof ConfigFault) {
    process.stderr.write(`${error.message}\n`);
    process.exit(CONFIG_EXIT_CODE);
  }
  makeLogger({ process: 'injector', level: 'error' }).error({ err: error }, 'could not start');
  process.exit(1);
});
