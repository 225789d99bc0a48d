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
  type Logger,
} from '@tollgate/runtime';
import { readOperatorConfig, type WebhookConfig } from './config.ts';
import { injectionFacts } from './injection-facts.ts';
import type { KubeApi } from './kube/kube-api.ts';
import { makeKubeClient } from './kube/kube-client.ts';
import { loadKubeConfig } from './kube/kube-config.ts';
import { makeKubeConnection } from './kube/kube-connection.ts';
import { makeOperatorMetrics } from './metrics.ts';
import { makeServerClient } from './programming/server-client.ts';
import { startOperator } from './start-operator.ts';
import { makeCertificateMaker } from './webhook/certificates/certificate-maker.ts';
import { makeCertificateRotator, type CertificateRotator } from './webhook/certificates/certificate-rotator.ts';
import { loadInjectionSettings } from './webhook/settings-file.ts';

/** For one question to the server; a list of many budgets takes a while. */
const SERVER_TIMEOUT_MS = 15_000;

/** Old and new authorities stand side by side until every replica and API server has seen the new one. */
const OVERLAP_MS = 600_000;
const CERTIFICATE_DAYS = { authorityDays: 1_825, leafDays: 30 };

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
  const settings = config.injectionFile === null ? null : loadInjectionSettings(config.injectionFile);
  const operator = await startOperator({
    config,
    api,
    client,
    injection: injectionFacts(settings, config.systemNamespace),
    metrics,
    rotator:
      config.webhook === null ? null : rotatorFor(config.webhook, { api, log, namespace: config.systemNamespace }),
    identity: `${config.lease.holder ?? hostname()}_${randomUUID()}`,
    timers: systemTimers,
    clock: monotonicClock,
    now: Date.now,
    random: Math.random,
    log,
  });
  const stop = (): void => {
    void operator.stop().then(({ firstError, late }) => {
      connection.close();
      if (firstError !== null) log.error({ err: firstError.error, step: firstError.name }, 'a release failed');
      if (late.length > 0) log.warn({ late: late.join(', ') }, 'stopped with work left over');
      process.exit(firstError === null && late.length === 0 ? 0 : 1);
    });
  };
  onStopSignals(process, {
    stop: ({ signal, reason }) => {
      log.info({ signal, reason }, 'stopping');
      stop();
    },
    force: ({ exitCode }) => process.exit(exitCode),
  });
  log.info({ address: operator.adminUrl, pid: process.pid }, 'ready');
};

const rotatorFor = (
  { configuration, service, tlsSecret, authoritySecret }: WebhookConfig,
  { api, log, namespace }: { readonly api: KubeApi; readonly log: Logger; readonly namespace: string },
): CertificateRotator =>
  makeCertificateRotator({
    api,
    maker: makeCertificateMaker({ clock: Date.now, ...CERTIFICATE_DAYS }),
    secrets: { namespace, tlsSecret, authoritySecret, configuration },
    names: [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`],
    overlapMs: OVERLAP_MS,
    clock: Date.now,
    timers: systemTimers,
    log,
  });

main().catch((error: unknown) => {
  if (error instanceof ConfigFault) {
    process.stderr.write(`${error.message}\n`);
    process.exit(CONFIG_EXIT_CODE);
  }
  makeLogger({ process: 'operator', level: 'error' }).error({ err: error }, 'could not start');
  process.exit(1);
});
