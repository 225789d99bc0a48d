import { describe, expect, it } from '@jest/globals';
import { PROXY_IMAGE, someSettings } from '../testing/workloads.ts';
import { proxyFacts, type ProxyFacts } from './facts.ts';
import { judgeProxy } from './judge.ts';

const podOf = (proxy: object | null, said: object = {}, annotations: object = {}) => ({
  metadata: { name: 'web-1', namespace: 'shop', annotations: { ...annotations } as Record<string, string> },
  spec: {
    containers: [{ name: 'app' }],
    initContainers:
      proxy === null ? [] : [{ name: 'tollgate-proxy', image: PROXY_IMAGE, restartPolicy: 'Always', ...proxy }],
  },
  status: {
    phase: 'Running',
    initContainerStatuses: [{ name: 'tollgate-proxy', ready: true, restartCount: 0, state: { running: {} }, ...said }],
  },
});
const STATUS = {
  state: 'fresh',
  reasons: [],
  policy: { version: 'v7', ageMs: 1_200 },
  spool: { bytes: 10, maxBytes: 1000, writeFaults: 0 },
  ledger: { pendingEvents: 0, outageMs: null },
};
const factsOf = (
  pod: ReturnType<typeof podOf>,
  changes: Partial<ProxyFacts> = {},
  status: object = {},
): ProxyFacts => ({
  ...proxyFacts(pod),
  prospect: null,
  settings: someSettings(),
  status: { status: 200, body: JSON.stringify({ ...STATUS, ...status }) },
  ready: { status: 200, body: 'ok\n' },
  ...changes,
});
const saidOf = (facts: ProxyFacts): readonly string[] =>
  judgeProxy(facts)
    .filter(({ severity }) => severity !== 'ok')
    .map(({ severity, message }) => `${severity} ${message}`);

describe('the proxy of a pod', () => {
  it('that is well gives nothing but good news: life, image, policy, spool', () => {
    expect(judgeProxy(factsOf(podOf({}))).map(({ severity }) => severity)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(
      judgeProxy(factsOf(podOf({})))
        .map(({ message }) => message)
        .join(),
    ).toContain('version v7');
  });

  it('is asked at the port that its container names', () => {
    expect(proxyFacts(podOf({ ports: [{ name: 'tollgate-admin', containerPort: 4555 }] })).container?.adminPort).toBe(
      4555,
    );
    expect(proxyFacts(podOf({})).container?.adminPort).toBe(4190);
  });

  it.each([
    [
      'asked for and not there',
      podOf(null, {}, { 'tollgate.dev/inject': 'true' }),
      /^error asks for the proxy and lacks it: its calls are not metered$/,
    ],
    [
      'asked for by another word',
      podOf(null, {}, { 'tollgate.dev/inject': 'yes' }),
      /^warning tollgate\.dev\/inject must be "true" or "false", not "yes": as it is, it asks for nothing$/,
    ],
    ['not asked for', podOf(null), /^error carries no proxy, and does not ask/],
    [
      'without its image',
      podOf({}, { ready: false, state: { waiting: { reason: 'ImagePullBackOff' } } }),
      /^error the proxy does not run: ImagePullBackOff/,
    ],
    ['starting', podOf({}, { ready: false }), /^warning the proxy runs and has not started yet/],
    [
      'started again',
      podOf({}, { restartCount: 3, lastState: { terminated: { reason: 'OOMKilled' } } }),
      /^warning the proxy was started again 3 times, the last time by OOMKilled/,
    ],
    ['of another image', podOf({ image: 'other:1' }), /^warning its image is other:1/],
    [
      'with a base URL that stays',
      podOf({}, {}, { 'tollgate.dev/status': '{"skippedEnv":["app/OPENAI_BASE_URL"]}' }),
      /^warning app\/OPENAI_BASE_URL stays/,
    ],
  ])('is told where it is %s', (_title, pod, words) => {
    expect(saidOf(factsOf(pod))).toEqual([expect.stringMatching(words)]);
  });

  it('is told what keeps it out', () => {
    const prospect = { outcome: 'skipped', reason: 'PortInUse', message: 'its port is taken', warnings: [] } as const;
    expect(saidOf(factsOf(podOf(null, {}, { 'tollgate.dev/inject': 'true' }), { prospect }))).toEqual([
      expect.stringMatching(/^error asks for the proxy and cannot carry it.*: its port is taken \(PortInUse\)$/),
    ]);
  });

  it.each([
    ['no policy came', { policy: { version: null, ageMs: null } }, /^error it has had no policy yet/],
    [
      'the server is silent',
      { policy: { version: 'v7', ageMs: 300_000 } },
      /^warning the server was heard of 300 s ago/,
    ],
    [
      'calls are refused',
      { state: 'refusing', reasons: ['policy_stale'] },
      /^error calls under Hard budgets are refused: policy_stale/,
    ],
    [
      'it goes on by itself',
      { state: 'degraded', reasons: ['ledger_unreachable'] },
      /^warning it goes on with what it has in hand: ledger_unreachable/,
    ],
    ['its spool fills', { spool: { bytes: 900, maxBytes: 1000, writeFaults: 0 } }, /^warning its spool is 90 % full/],
    [
      'its disk fails',
      { spool: { bytes: 0, maxBytes: 1000, writeFaults: 2 } },
      /^error the disk of its spool did not take 2 writes/,
    ],
    [
      'leases stay away',
      { ledger: { pendingEvents: 0, outageMs: 8_000 } },
      /^warning the server has not answered about leases for 8 s/,
    ],
  ])('says itself that %s', (_title, status, words) => {
    expect(saidOf(factsOf(podOf({}), {}, status))).toEqual([expect.stringMatching(words)]);
  });

  it('is of the current image where a mirror has the same version of it', () => {
    const settings = someSettings({ imageMirrors: ['mirror.test/tollgate-proxy'] });
    const mirrored = podOf({ image: PROXY_IMAGE.replace('registry.test', 'mirror.test') });
    expect(saidOf(factsOf(mirrored, { settings }))).toEqual([]);
    expect(saidOf(factsOf(podOf({ image: 'mirror.test/tollgate-proxy:1' }), { settings }))).toHaveLength(1);
  });

  it('may be out of reach, which is no fault of its own', () => {
    const status = { status: 503, body: 'error trying to reach service: dial tcp: i/o timeout' };
    expect(saidOf(factsOf(podOf({}), { status }))).toEqual([
      expect.stringMatching(/^warning its admin port does not answer.*503/),
    ]);
  });

  it('is not called outdated by one who may not see the settings', () => {
    expect(saidOf(factsOf(podOf({}), { settings: null }))).toEqual([expect.stringMatching(/^info whether its image/)]);
  });
});
