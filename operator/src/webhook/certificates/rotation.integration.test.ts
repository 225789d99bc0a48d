import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger } from '@tollgate/runtime';
import { makeFakeClock } from '@tollgate/testkit';
import { KubeFault } from '../../kube/kube-fault.ts';
import { startAdmissionServer, type AdmissionServer } from '../admission-server.ts';
import { handshake } from '../testing/handshake.ts';
import { makeMemoryKube } from '../testing/memory-kube.ts';
import { makeCertificateMaker } from './certificate-maker.ts';
import { makeCertificateRotator } from './certificate-rotator.ts';
import type { Secret, WebhookConfiguration } from './certificate-store.ts';
import { makeServingCertificate, type ServingCertificate } from './serving-certificate.ts';

const SERVICE = 'tollgate-injector.tollgate-system.svc';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const OVERLAP = 10 * MINUTE;
const names = {
  namespace: 'tollgate-system',
  tlsSecret: 'tollgate-webhook-tls',
  authoritySecret: 'tollgate-webhook-ca',
  configuration: 'tollgate-injector',
};
const configuration = (): WebhookConfiguration => ({
  metadata: { name: names.configuration, uid: 'config' },
  webhooks: [{ name: 'a.tollgate.dev', clientConfig: {} }, { name: 'b.tollgate.dev' }],
});

describe('the certificates of the webhook', () => {
  const kube = { current: makeMemoryKube() };
  // The handshakes go by the real time, so the clock begins an hour before it and ends before it is reached.
  let clock = makeFakeClock(Date.now() - HOUR);
  let server: AdmissionServer;
  let serving: ServingCertificate;
  const rotatorOf = () =>
    makeCertificateRotator({
      api: kube.current.api,
      maker: makeCertificateMaker({ clock: clock.wallNow, authorityDays: 5 * 365, leafDays: 30 }),
      secrets: names,
      names: [SERVICE],
      overlapMs: OVERLAP,
      clock: clock.wallNow,
      timers: clock.timers,
      log: silentLogger(),
    });
  /** Steps until there is nothing to do; what they were. */
  const settle = async (): Promise<string[]> => {
    const steps: string[] = [];
    for (;;) {
      const step = await rotatorOf().step();
      if (step.do === 'wait') return steps;
      steps.push(step.do);
      if (steps.length > 20) throw new Error(steps.join());
    }
  };
  const published = (): string =>
    Buffer.from(
      kube.current.configuration(names.configuration)?.webhooks?.[0]?.clientConfig?.caBundle ?? '',
      'base64',
    ).toString();
  const authorities = (): number => published().split('BEGIN CERTIFICATE').length - 1;
  const trustedServing = async (bundle = published()): Promise<string> => {
    await serving.look();
    return handshake(server.address.port, bundle, SERVICE);
  };

  beforeEach(async () => {
    kube.current = makeMemoryKube();
    kube.current.put('MutatingWebhookConfiguration', configuration());
    clock = makeFakeClock(Date.now() - HOUR);
    const nothing = (): void => undefined;
    server = await startAdmissionServer({
      listen: { host: '127.0.0.1', port: 0 },
      log: silentLogger(),
      clock: clock.now,
      settings: () => {
        throw new Error('nothing is injected here');
      },
      routeKeys: () => [],
      kubernetesMinor: () => null,
      observe: { decided: nothing, skipped: nothing, answered: nothing, failed: nothing },
    });
    serving = makeServingCertificate({
      api: kube.current.api,
      names,
      serve: server.serve,
      clock: clock.wallNow,
      timers: clock.timers,
      log: silentLogger(),
    });
  });
  afterEach(() => server.close());

  it('are made, published to every webhook and served, and then left alone', async () => {
    expect(serving.ready()).toMatchObject({ ok: false, reason: expect.stringContaining('no certificate') });
    await expect(handshake(server.address.port, '', SERVICE)).rejects.toThrow();
    expect(await settle()).toEqual(['stage', 'publish', 'note-published', 'swap', 'issue-leaf']);
    await trustedServing();
    expect(serving.ready()).toEqual({ ok: true });
    const stored = kube.current.configuration(names.configuration);
    expect(new Set(stored?.webhooks?.map(({ clientConfig }) => clientConfig?.caBundle)).size).toBe(1);
    expect(await settle()).toEqual([]);
  });

  it('keep the key that signs from the Secret that replicas read', async () => {
    await settle();
    expect(Object.keys(kube.current.secret(names.tlsSecret)?.data ?? {}).sort()).toEqual([
      'ca.crt',
      'tls.crt',
      'tls.key',
    ]);
    expect(kube.current.secret(names.tlsSecret)?.type).toBe('kubernetes.io/tls');
  });

  it('are renewed after two thirds of their life, under the same authority', async () => {
    await settle();
    const [first, bundle] = [await trustedServing(), published()];
    await clock.advance(19 * DAY);
    expect(await settle()).toEqual([]);
    await clock.advance(2 * DAY);
    expect(await settle()).toEqual(['issue-leaf']);
    expect(published()).toBe(bundle);
    await serving.look();
    expect(serving.expiresAt()).toBeGreaterThan(clock.wallNow() + 29 * DAY);
    expect(first).not.toBe('');
  });

  it('change their authority so that at no moment the API server is shown what it does not trust', async () => {
    await settle();
    const first = await trustedServing();
    // Two thirds of five years, told by what is written down: the clock of the handshakes is the real one.
    await clock.advance((5 * 365 * 2 * DAY) / 3 + DAY);
    expect(await settle()).toEqual(['stage', 'publish', 'note-published', 'issue-leaf']);
    expect(authorities()).toBe(2);
    await clock.advance(OVERLAP - 1);
    expect(await settle()).toEqual([]);
    await clock.advance(1);
    expect(await settle()).toEqual(['swap', 'issue-leaf']);
    expect(authorities()).toBe(2);
    await clock.advance(OVERLAP);
    expect(await settle()).toEqual(['retire', 'publish']);
    expect(authorities()).toBe(1);
    await serving.look();
    expect(serving.ready()).toEqual({ ok: true });
    expect(first).not.toBe('');
  });

  it('overlap in real handshakes when the authority is lost: what is served stays trusted until what is new is', async () => {
    await settle();
    const first = await trustedServing();
    const before = published();
    kube.current.remove('Secret', names.authoritySecret);
    expect(await settle()).toEqual(['stage', 'publish', 'note-published']);
    expect(authorities()).toBe(2);
    expect(await trustedServing()).toBe(first);
    // An API server that has not heard of it yet, and one that has.
    expect(await trustedServing(before)).toBe(first);
    expect(serving.ready()).toEqual({ ok: true });
    await clock.advance(OVERLAP);
    expect(await settle()).toEqual(['swap', 'issue-leaf']);
    expect(authorities()).toBe(2);
    const second = await trustedServing();
    expect(second).not.toBe(first);
    await expect(trustedServing(before)).rejects.toThrow();
    await clock.advance(OVERLAP);
    expect(await settle()).toEqual(['retire', 'publish']);
    expect(await trustedServing()).toBe(second);
  });

  it('are made anew for a Secret that was deleted or broken, while replicas go on with what they have', async () => {
    await settle();
    const first = await trustedServing();
    kube.current.remove('Secret', names.tlsSecret);
    expect(await trustedServing()).toBe(first);
    expect(await settle()).toEqual(['issue-leaf']);
    const second = await trustedServing();
    expect(second).not.toBe(first);
    const secret = kube.current.secret(names.tlsSecret);
    kube.current.put('Secret', {
      metadata: { ...secret?.metadata, name: names.tlsSecret, namespace: names.namespace },
      data: { 'tls.crt': 'bm8=' },
    } as Secret);
    expect(await trustedServing()).toBe(second);
    expect(await settle()).toEqual(['issue-leaf']);
    expect(await trustedServing()).not.toBe(second);
  });

  it('are published again where somebody took the bundle away', async () => {
    await settle();
    await serving.look();
    kube.current.put('MutatingWebhookConfiguration', configuration());
    await serving.look();
    expect(serving.ready()).toMatchObject({ ok: false, reason: expect.stringContaining('does not vouch') });
    expect(await settle()).toEqual(['publish']);
    await serving.look();
    expect(serving.ready()).toEqual({ ok: true });
  });

  it('wait for a webhook configuration that is not there yet', async () => {
    kube.current.remove('MutatingWebhookConfiguration', names.configuration);
    expect(await settle()).toEqual(['stage', 'swap', 'issue-leaf']);
    await serving.look();
    expect(serving.ready()).toMatchObject({ ok: false, reason: expect.stringContaining('is not there') });
    kube.current.put('MutatingWebhookConfiguration', configuration());
    expect(await settle()).toEqual(['publish']);
    await trustedServing();
  });

  it('get new names when the Service does', async () => {
    await settle();
    await clock.advance(MINUTE);
    const renamed = makeCertificateRotator({
      api: kube.current.api,
      maker: makeCertificateMaker({ clock: clock.wallNow, authorityDays: 5 * 365, leafDays: 30 }),
      secrets: names,
      names: ['other.svc', '127.0.0.1'],
      overlapMs: OVERLAP,
      clock: clock.wallNow,
      timers: clock.timers,
      log: silentLogger(),
    });
    expect((await renamed.step()).do).toBe('issue-leaf');
    expect((await renamed.step()).do).toBe('wait');
    await serving.look();
    await handshake(server.address.port, published(), 'other.svc');
    await expect(handshake(server.address.port, published(), SERVICE)).rejects.toThrow(/altnames/);
  });

  it('are looked after for as long as the process leads, whatever fails meanwhile', async () => {
    const leading = new AbortController();
    const running = rotatorOf().run(leading.signal);
    kube.current.fault = new KubeFault({ status: 0, reason: 'Unreachable', message: 'the API server is away' });
    await clock.advance(MINUTE);
    kube.current.fault = null;
    // Keys are made by the system, in its own time.
    for (let turn = 0; turn < 400 && kube.current.secret(names.tlsSecret) === null; turn += 1) {
      await clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await trustedServing();
    leading.abort();
    await running;
    expect(clock.pending()).toBe(0);
  });

  it('stay trusted while the API server is away', async () => {
    await settle();
    await trustedServing();
    kube.current.fault = new KubeFault({ status: 0, reason: 'Unreachable', message: 'the API server is away' });
    await expect(serving.look()).rejects.toThrow();
    expect(serving.ready()).toEqual({ ok: true });
  });
});
