/**
 * Tollgate on one machine: the control plane in this process over a folder of manifests, the database and the proxy as
 * child processes. Started in the order of need, stopped in the opposite one.
 */
import { manifestFaultText } from '@tollgate/api/schema';
import type { Resource } from '@tollgate/api/schema';
import { makeReleases, systemTimers } from '@tollgate/runtime';
import { bearerToken } from '@tollgate/server';
import { openStore } from '@tollgate/store';
import { DATABASE_REPLACED } from './database-replaced.ts';
import { SYSTEM_NAMESPACE, openControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { namedDatabase, startPglite } from './database.ts';
import type { Database } from './database.ts';
import { errorMessage } from './error-code.ts';
import { checkFolder } from './manifests/check-folder.ts';
import { faultList } from './manifests/fault-list.ts';
import { watchManifests } from './manifests/watch-manifests.ts';
import type { Standalone, StandaloneOptions } from './options.ts';
import { budgetChange } from './policy/budget-change.ts';
import { mockUpstreams } from './policy/mock-snapshot.ts';
import { startChild } from './process/child-process.ts';
import type { Child } from './process/child-process.ts';
import { findPort } from './process/free-port.ts';
import { startProxyChild } from './proxy.ts';
import { lookUpSecret, writeMockSecrets } from './secrets.ts';
import { StandaloneError } from './standalone-error.ts';
import { lockState } from './state/state-lock.ts';
import { makeStateDir, stateDirOf, writeServeRecord, writeToken } from './state/state-dir.ts';

const HOST = '127.0.0.1';
const MOCK_READY_MS = 30_000;
const MOCK_GRACE_MS = 1000;
/** Without its database the server takes nothing: open calls may end, and what was charged waits in the spool. */
const BROKEN_GRACE_MS = 3000;

export const runStandalone = async (options: StandaloneOptions): Promise<Standalone> => {
  const { programs, env, graceMs, now, pid, log, onChildLine } = options;
  const state = stateDirOf(options.stateDir, options);
  const releases = makeReleases(systemTimers);
  try {
    makeStateDir(state);
    releases.add('state lock', lockState(state.root, now));
    if ('path' in options.resources) await checkFolder(options.resources.path);
    // All ports are looked at before anything is started, which takes seconds.
    const ports = await findPorts(options.ports);

    // Side by side, since each takes seconds; when one fails, the other is still there to be stopped.
    const [databaseStart, mockStart] = await Promise.allSettled([
      startDatabase(options, state.database),
      options.isMock ? startMock(options) : null,
    ]);
    if (mockStart.status === 'fulfilled' && mockStart.value !== null) {
      const { stop } = mockStart.value;
      releases.add('mock provider', () => stop(MOCK_GRACE_MS));
    }
    if (databaseStart.status === 'rejected') throw databaseStart.reason;
    const database = databaseStart.value;
    releases.add('database', () => database.close(graceMs));
    if (mockStart.status === 'rejected') throw mockStart.reason;
    const mockUrl = mockStart.value === null ? null : urlOf(mockStart.value);
    const store = await openStore({
      connectionString: database.connectionString,
      ...(options.databaseUrl === null ? { max: 1 } : {}),
      onIdleError: (err) => log.warn({ err }, 'database connection lost'),
    }).catch((cause: unknown) => {
      throw new StandaloneError('config', `the database cannot be opened: ${errorMessage(cause)}`, {
        todo:
          options.databaseUrl === null
            ? `move ${state.database} away to start from nothing`
            : 'check DATABASE_URL or --database-url',
        cause,
      });
    });
    releases.add('store', () => store.close());

    const broken = Promise.withResolvers<string>();
    let isStopping = false;
    let isBroken = false;
    const breakOff = (why: string): void => {
      // It also goes in the end, with everything else.
      if (isStopping) return;
      isBroken = true;
      broken.resolve(why);
    };
    void database.gone.then(() => breakOff('the database process has gone'));
    const token = writeToken(state);
    const secretsDir = options.isMock ? state.mockSecrets : options.secretsDir;
    const controlPlane = await openControlPlane({
      store,
      authenticate: bearerToken(token),
      loopbackOnly: true,
      batches: 6,
      systemNamespace: SYSTEM_NAMESPACE,
      onDatabaseReplaced: () => breakOff(DATABASE_REPLACED),
      mockUrl,
      now,
      log,
      keys: {
        lookUpSecret: (secret) => lookUpSecret({ dir: secretsDir, env: options.isMock ? {} : env }, secret),
        onSecrets: (secrets) => {
          if (options.isMock) writeMockSecrets(state.mockSecrets, secrets);
        },
      },
    });
    releases.add('server', () => controlPlane.close());
    await applyResources(options, controlPlane, (close) => releases.add('resources folder', close));
    const { url: serverUrl } = await controlPlane.listen({ host: HOST, port: ports.server });

    const proxy = await startProxyChild({
      command: programs.proxy,
      preload: programs.preload,
      env: options.isMock ? withoutSecrets(env) : env,
      serverUrl,
      tokenFile: state.tokenFile,
      port: ports.proxy,
      adminPort: ports.admin,
      spoolDir: state.spool,
      subject: options.subject,
      secretsDir,
      upstreams: mockUrl === null ? options.upstreams : mockUpstreams(mockUrl),
      requireBudget: options.requireBudget,
      graceMs,
      onLine: (line) => onChildLine('proxy', line),
      onExit: ({ code, signal }, retryInMs) =>
        log.error({ exitCode: code, signal, retryInMs }, 'proxy ended, starting it again'),
      onFailedStart: (err, retryInMs) => log.error({ err, retryInMs }, 'proxy did not start'),
      onReady: (proxyPid) => log.info({ pid: proxyPid }, 'proxy ready'),
    });
    const drainProxy = once(() => proxy.stop(isBroken ? Math.min(graceMs, BROKEN_GRACE_MS) : graceMs));
    releases.add('proxy', drainProxy);
    releases.add(
      'serve record',
      writeServeRecord(state, {
        serverUrl,
        proxyUrl: proxy.url,
        adminUrl: proxy.adminUrl,
        pid,
        tokenFile: state.tokenFile,
      }),
    );
    return {
      proxyUrl: proxy.url,
      adminUrl: proxy.adminUrl,
      serverUrl,
      mockUrl,
      tokenFile: state.tokenFile,
      broken: broken.promise,
      drainProxy,
      stop: async () => {
        isStopping = true;
        // The proxy has the whole grace period for its calls; what comes after it takes moments.
        const { failed, late, firstError } = await releases.run(graceMs + 10_000);
        if (firstError !== null) log.error({ err: firstError.error, failed, late }, 'stopped with faults');
      },
    };
  } catch (error) {
    await releases.run(graceMs);
    throw error;
  }
};

const findPorts = async ({
  proxy,
  admin,
  server,
}: StandaloneOptions['ports']): Promise<StandaloneOptions['ports']> => ({
  proxy: await findPort({ host: HOST, port: proxy, what: 'the proxy', setting: '--port' }),
  admin: await findPort({ host: HOST, port: admin, what: "the proxy's metrics page", setting: '--admin-port' }),
  server: await findPort({ host: HOST, port: server, what: 'the server', setting: '--server-port' }),
});

const startDatabase = (
  { databaseUrl, inMemory, cacheDir, programs, env, onChildLine }: StandaloneOptions,
  dir: string,
): Promise<Database> =>
  databaseUrl === null
    ? startPglite({
        command: programs.pglite,
        dataDir: inMemory ? 'memory' : dir,
        templates: cacheDir,
        env,
        onLine: (line) => onChildLine('database', line),
      })
    : Promise.resolve(namedDatabase(databaseUrl));

const startMock = ({ programs, env, onChildLine }: StandaloneOptions): Promise<Child> => {
  const [executable = '', ...args] = programs.tollgate;
  return startChild({
    name: 'mock provider',
    command: [executable, '--import', programs.preload, ...args, 'mock-provider', '--port', '0'],
    env,
    onLine: (line) => onChildLine('mock provider', line),
    readyMs: MOCK_READY_MS,
  });
};

const urlOf = ({ ready: { url } }: Child): string => {
  if (typeof url === 'string') return url;
  throw new StandaloneError('child-failed', 'the mock provider did not say where it listens', {
    todo: 'build anew: make build',
  });
};

const applyResources = async (
  { resources, subject, log, onManifests }: StandaloneOptions,
  controlPlane: ControlPlane,
  onOpened: (close: () => Promise<void>) => void,
): Promise<void> => {
  if ('fixed' in resources) return controlPlane.apply(resources.fixed);
  let hadFaults = false;
  let former: readonly Resource[] = [];
  const watched = await watchManifests({
    root: resources.path,
    onResources: async (all) => {
      await controlPlane.apply(all);
      const change = budgetChange(former, all, { subject, systemNamespace: SYSTEM_NAMESPACE });
      former = all;
      onManifests({ kind: 'applied', ...countKinds(all), ...change });
    },
    onFaults: (faults) => {
      if (faults.length > 0) onManifests({ kind: 'refused', faults: faultList(faults.map(manifestFaultText)) });
      else if (hadFaults) onManifests({ kind: 'well again' });
      hadFaults = faults.length > 0;
    },
    onTrouble: (message) => {
      log.warn({ dir: resources.path }, 'resources folder not read');
      onManifests({ kind: 'trouble', message });
    },
  });
  onOpened(() => watched.close());
};

const countKinds = (resources: readonly Resource[]): { budgets: number; routes: number; services: number } => {
  const count = (kind: Resource['kind']): number => resources.filter((resource) => resource.kind === kind).length;
  return { budgets: count('TokenBudget'), routes: count('ModelRoute'), services: count('LLMInferenceService') };
};

/** Simulated answers take no real keys along. */
const withoutSecrets = (
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TOLLGATE_SECRET_')));

const once = (act: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined;
  return () => (done ??= act());
};
