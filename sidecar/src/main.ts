/**
 * The proxy process: reads its settings (the file that TOLLGATE_CONFIG names, then `.env`, then the environment), starts,
 * and stops on a signal. The only file of it that knows `process`.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { makeHttpLedger } from '@tollgate/ledger/http';
import { openFileDisk, openSpool } from '@tollgate/ledger/spool';
import {
  CONFIG_EXIT_CODE,
  ConfigFault,
  VERSION,
  layeredEnv,
  makeLogger,
  onStopSignals,
  readEnv,
} from '@tollgate/runtime';
import { readConfig } from './config.ts';
import { startProxy } from './start-proxy.ts';

const main = async (): Promise<void> => {
  const env = layeredEnv({ env: process.env, envFile: '.env', file: process.env['TOLLGATE_CONFIG'] });
  const config = readEnv(env, readConfig);
  const logger = makeLogger({ process: 'proxy', level: config.logLevel, version: VERSION });
  const ledger = makeHttpLedger({
    serverUrl: config.serverUrls,
    // Read anew each time: in a pod the kubelet rotates it.
    token: () => readFileSync(config.tokenFile, 'utf8').trim(),
    random: Math.random,
  });
  const disk = openFileDisk(config.spoolDir);
  const spool = openSpool({ disk, maxBytes: config.spoolBytes, defer: setImmediate });
  const { quarantined, damaged } = spool.opened;
  if (quarantined.length > 0)
    logger.error(
      { path: quarantined.join(', '), count: damaged.length },
      'the spool was damaged: kept aside, and what its lives took stays charged',
    );
  const bundledWorker = new URL('./tokenizer-worker.js', import.meta.url);
  const proxy = await startProxy({
    config,
    controlPlane: ledger,
    spool,
    tokenizerWorker: existsSync(bundledWorker) ? bundledWorker : null,
    version: VERSION,
    logger,
    instance: randomUUID(),
    now: Date.now,
    random: Math.random,
    env,
  });
  onStopSignals(process, {
    stop: ({ signal, reason }) => {
      logger.info({ signal, reason }, 'stopping');
      void proxy.stop().then(({ firstError, late }) => {
        ledger.close();
        spool.close();
        disk.close();
        if (firstError !== null) logger.error({ err: firstError.error, step: firstError.name }, 'a release failed');
        if (late.length > 0) logger.warn({ late }, 'stopped with work left over');
        process.exit(firstError === null && late.length === 0 ? 0 : 1);
      });
    },
    force: ({ exitCode }) => process.exit(exitCode),
  });
  // Last: who reads it may tell us to stop at once.
  logger.info({ url: proxy.url, address: proxy.adminUrl, pid: process.pid }, 'ready');
};

main().catch((error: unknown) => {
  if (error instanceof ConfigFault) {
    process.stderr.write(`${error.message}\n`);
    process.exit(CONFIG_EXIT_CODE);
  }
  makeLogger({ process: 'proxy', level: 'error' }).error({ err: error }, 'could not start');
  process.exit(1);
});
