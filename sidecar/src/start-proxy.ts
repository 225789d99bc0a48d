/**
 * Builds and starts one proxy from its settings: the port is bound at once, the control plane is greeted in the
 * background, and calls wait for the first policy. Everything opened here is closed by `stop`, last in, first out.
 */
import { hash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { endianness } from 'node:os';
import { makeEscrow, type EscrowDeps, type EscrowStats } from '@tollgate/ledger/escrow';
import {
  listenUrl,
  makeReleases,
  monotonicClock,
  startAdminServer,
  systemTimers,
  wallClock,
  type Logger,
  type ReleaseReport,
} from '@tollgate/runtime';
import { makeTokenCounter } from '@tollgate/tokenizer';
import { makeCallerPolicies } from './callers/caller-policies.ts';
import { makeVerdicts } from './callers/verdicts.ts';
import { providerTargets } from './direct/provider-targets.ts';
import { makeReadSocketTables } from './direct/socket-tables.ts';
import { watchDirectConnections, type DirectWatch } from './direct/watch-direct.ts';
import { makeInputCounter } from './policy/input-counter.ts';
import { makeJointOverdrafts } from './policy/overdraft-terms.ts';
import { makePolicyFeed, type PolicyFeed } from './policy/policy-feed.ts';
import { makeSecrets } from './policy/secrets.ts';
import { makeProxyMetrics } from './metrics.ts';
import { makeBufferBudget } from './pipeline/buffer-budget.ts';
import { LOOPBACK_HOSTS } from './pipeline/guard.ts';
import { buildServer } from './server.ts';
import { makeAddressCheck } from './upstream/address-check.ts';
import { authoritiesWith } from './upstream/authorities.ts';
import { makePassThrough } from './upstream/passthrough.ts';
import { makeProxyFor, toProxyEnv } from './upstream/proxy-env.ts';
import { makeDrainAllowance } from './upstream/relay.ts';
import { makeTransport } from './upstream/transport.ts';
import { makeTurn } from './turn.ts';
import { keepInTouch, type ControlPlane, type Touch } from './control-plane.ts';
import type { ProxyConfig } from './config.ts';
import { watchCondition } from './condition-watch.ts';
import { conditionOf, unreadyReason, type Condition } from './degraded.ts';

export interface ProxyStart {
  readonly config: ProxyConfig;
  readonly controlPlane: ControlPlane;
  /** Opened by the caller, and closed by it after `stop`. */
  readonly spool: EscrowDeps['spool'];
  /** Where a bundle keeps the tokenizer's worker; null = beside its source. */
  readonly tokenizerWorker: URL | null;
  readonly version: string;
  readonly logger: Logger;
  /** A random id, new at each start. */
  readonly instance: string;
  readonly now: () => number;
  /** Monotonic milliseconds; the system's by default. */
  readonly clock?: () => number;
  readonly random: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface RunningProxy {
  readonly url: string;
  readonly adminUrl: string;
  /** Refuses new calls, lets open ones end, delivers every event, gives all leases back; bounded by the grace period. */
  stop(): Promise<ReleaseReport>;
}

/** How long a call waits for the first policy, and how many abandoned answers are read on at once (design §4.9). */
const POLICY_WAIT_MS = 10_000;
const DRAINS = 64;
const CONNECT_MS = 10_000;

export const startProxy = async ({
  config,
  controlPlane,
  spool,
  tokenizerWorker,
  version,
  logger,
  instance,
  now: machineClock,
  clock = monotonicClock,
  random,
  env,
}: ProxyStart): Promise<RunningProxy> => {
  const releases = makeReleases(systemTimers);
  const cut = new AbortController();
  const { limits } = config;
  const now = wallClock(machineClock);
  const turn = makeTurn(setImmediate);
  try {
    let touch: Touch | null = null;
    const escrow = makeEscrow({
      port: controlPlane,
      session: controlPlane,
      spool,
      clock,
      now,
      timers: systemTimers,
      random,
      instance,
      defer: turn.atEnd,
      onFault: (err, step) => {
        logger.warn({ err, step }, 'ledger fault, retried');
        touch?.heard(err);
      },
    });

    const makeFeed = (): PolicyFeed =>
      makePolicyFeed({ waitMs: POLICY_WAIT_MS, maxAgeMs: config.maxPolicyAgeMs, clock });
    const feed = makeFeed();
    const setOverdrafts = makeJointOverdrafts((terms) => escrow.setOverdrafts(terms));
    const policies = makeCallerPolicies({
      controlPlane,
      instance,
      makeFeed,
      onOverdrafts: setOverdrafts,
      onFollowed: () => touch?.tellCallers(),
      clock,
      timers: systemTimers,
    });
    releases.add("callers' policies", () => policies.close());
    const condition = (): Condition =>
      conditionOf({
        escrow: escrow.stats(),
        isPolicyStale: feed.isStale(NO_OVERDRAFT),
        isSpoolDamaged: spool.opened.damaged.length > 0,
      });
    const watch = watchCondition({
      condition,
      timers: systemTimers,
      onChange: ({ state, reasons }) => {
        if (state === 'fresh') logger.info({}, 'all is well again');
        else logger.warn({ reason: reasons.join(', ') }, state);
        touch?.tell();
      },
    });
    releases.add('condition', () => {
      watch.close();
    });
    const direct: DirectWatch | null =
      config.directCheckMs === null
        ? null
        : watchDirectConnections({
            everyMs: config.directCheckMs,
            targets: () => providerTargets(feed.routes(), Object.values(config.upstreams)),
            read: makeReadSocketTables({ proc: '/proc', isLittleEndian: endianness() === 'LE' }),
            resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
            timers: systemTimers,
            clock,
            logger,
            onChange: () => touch?.tellDirect(),
          });
    releases.add('look at connections', () => {
      direct?.close();
    });
    const metrics = makeProxyMetrics({
      stats: () => escrow.stats(),
      spool: () => spool.stats(),
      condition,
      policyAgeMs: () => feed.ageMs(),
      isReady: () => feed.isReady(),
      callers: () => policies.count(),
      directConnections: () => direct?.open() ?? 0,
      log: {
        refused: (fields) => logger.info(fields, 'call refused'),
        faulted: (err, requestId) => logger.error({ err, requestId }, 'call failed by a fault of the proxy'),
        holdViolated: (model) => logger.error({ model }, 'charge above its hold'),
      },
    });
    const extraCaFile = env['TOLLGATE_EXTRA_CA_FILE'];
    const extraCa = extraCaFile === undefined ? null : authoritiesWith(readFileSync(extraCaFile, 'utf8'));
    const isAllowed = makeAddressCheck({ allowPrivate: config.allowPrivateUpstreams });
    const proxies = {
      http: env['http_proxy'] ?? env['HTTP_PROXY'] ?? null,
      https: env['https_proxy'] ?? env['HTTPS_PROXY'] ?? null,
      no: env['no_proxy'] ?? env['NO_PROXY'] ?? null,
    };
    const transport = makeTransport({
      isAllowed,
      extraCa,
      connectMs: CONNECT_MS,
      proxyFor: makeProxyFor(proxies),
    });
    releases.add('upstream connections', () => transport.close());
    const passThrough = makePassThrough({ isAllowed, extraCa, idleMs: limits.idleMs, proxyEnv: toProxyEnv(proxies) });
    releases.add('pass-through connections', () => passThrough.close());
    const counter = makeTokenCounter(tokenizerWorker === null ? {} : { workerUrl: tokenizerWorker });
    releases.add('tokenizer', () => counter.release());

    let isReviewing = true;
    const verdicts = makeVerdicts({
      ask: (token) => controlPlane.reviewCaller(token),
      accept: (caller) => policies.of(caller),
      hash: (token) => hash('sha256', token, 'base64'),
      clock,
      onOutcome: (outcome, fault) => {
        metrics.observer.tokenReviewed(outcome);
        // Once an outage: the reason is the same for all who ask meanwhile.
        if (fault !== undefined && isReviewing) logger.warn({ err: fault }, "callers' tokens cannot be reviewed");
        if (fault !== undefined) isReviewing = false;
        else if (outcome === 'accepted' || outcome === 'refused') isReviewing = true;
      },
    });

    const overrides = { ...config.upstreams, takeKeys: config.upstreamsTakeKeys };
    let calls = 0;
    const { server, openCalls, startDraining } = buildServer({
      guard: { allowedHosts: isLoopback(config.listen.host) ? LOOPBACK_HOSTS : null },
      whose: config.requireTokens ? { verdicts, policies } : null,
      pass: {
        takesTokens: config.requireTokens,
        passThrough,
        policy: feed.current,
        isStale: feed.isStale,
        overrides,
        escrow,
        now,
        unmetered: metrics.observer.unmetered,
      },
      route: {
        policyOf: ({ callerPolicy }) => callerPolicy ?? feed,
        overrides,
        requireBudget: config.requireBudget,
      },
      attempt: {
        escrow,
        transport,
        turn,
        limits,
        now,
        takesTokens: config.requireTokens,
        secrets: makeSecrets({ dir: config.secretsDir, env, clock }),
        kept: makeBufferBudget(limits.bufferedBytes),
        drain: makeDrainAllowance(DRAINS),
        countText: makeInputCounter(counter),
        observe: metrics.observer,
        degraded: watch.header,
      },
      limits,
      now,
      nextRequestId: () => `tg-${instance.slice(0, 8)}-${(calls += 1).toString(36)}`,
      observe: metrics.observer,
    });

    const admin = await startAdminServer({
      listen: config.admin,
      metrics: metrics.page,
      status: () => ({
        ...condition(),
        policy: { version: feed.version(), ageMs: feed.ageMs() },
        spool: spool.stats(),
        ledger: ledgerStatus(escrow.stats()),
      }),
      probes: {
        live: () => ({ ok: true }),
        started: () => ({ ok: true }),
        ready: () => {
          if (!feed.isReady()) return { ok: false, reason: 'no policy from the control plane yet' };
          const reason = unreadyReason(condition());
          return reason === null ? { ok: true } : { ok: false, reason };
        },
      },
    });
    releases.add('admin port', () => admin.close());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(config.listen.port, config.listen.host, resolve);
    });
    const bound = server.address() as AddressInfo;

    touch = keepInTouch({
      controlPlane,
      escrow: { ...escrow, setOverdrafts: (terms) => setOverdrafts('own', terms) },
      feed,
      instance,
      version,
      subject: config.subject,
      degraded: () => condition().reasons,
      direct: () => direct?.found() ?? null,
      callers: () => (config.requireTokens ? policies.followed() : null),
      logger,
      timers: systemTimers,
      random,
    });
    const opened = touch;
    releases.add('control plane', () => opened.close());
    releases.add('leases and events', async () => {
      // With nothing leased and nothing to report it is a matter of form, which may have no one to hear it.
      const isForm = !opened.isKnown() && escrow.stats().pendingEvents === 0;
      const farewell = isForm ? AbortSignal.timeout(FAREWELL_MS) : cut.signal;
      await escrow.drain(farewell).catch((fault: unknown) => {
        if (!farewell.aborted || !isForm) throw fault;
        logger.info({ err: fault }, 'the control plane was never reached: nothing is left with it');
      });
    });
    releases.add('calls', async () => {
      startDraining();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const sweep = setInterval(() => server.closeIdleConnections(), 100);
      await closed;
      clearInterval(sweep);
      logger.info({ count: openCalls() }, 'calls drained');
    });
    return {
      url: listenUrl({ host: config.listen.host, port: bound.port }),
      adminUrl: admin.url,
      stop: async () => {
        const report = await releases.run(limits.graceMs);
        cut.abort();
        return report;
      },
    };
  } catch (error) {
    await releases.run(limits.graceMs);
    throw error;
  }
};

/** For a control plane that never answered. */
const FAREWELL_MS = 1_000;

const NO_OVERDRAFT = { overdraft: null };

const ledgerStatus = ({ outageMs, openHolds, leases, pendingEvents, overdraftLeft, overdrawn }: EscrowStats) => ({
  outageMs,
  openHolds,
  leases,
  pendingEvents,
  overdraftLeftNanoUsd: String(overdraftLeft),
  overdrawnCalls: overdrawn,
});

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');
