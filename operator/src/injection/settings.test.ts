import { describe, expect, it } from '@jest/globals';
import { someSettings } from './testing/pods.ts';

describe("the injector's settings", () => {
  it.each([
    ['another server', { TOLLGATE_SERVER_URL: 'https://elsewhere.test' }],
    ['another port', { TOLLGATE_LISTEN: '0.0.0.0:4100' }],
    ['another subject', { TOLLGATE_SUBJECT: '{}' }],
  ])('take nothing for a proxy that the injector says itself: %s', (_what, proxyEnv) => {
    expect(() => someSettings({ proxyEnv })).toThrow('is set by the injector');
  });

  it('have room on the volume for what a proxy keeps, since of less the kubelet would evict the pod', () => {
    expect(() => someSettings({ spoolSizeLimit: '1Mi' })).toThrow('must be 268435456 bytes or more');
    const proxyEnv = { TOLLGATE_MAX_SPOOL_BYTES: '1000000' };
    expect(someSettings({ spoolSizeLimit: '1Mi', proxyEnv }).spoolSizeLimit).toBe('1Mi');
    expect(() => someSettings({ spoolSizeLimit: '900k', proxyEnv })).toThrow('must be 1000000 bytes or more');
  });

  it.each([
    ['CPU', { cpuLimit: '1m' }, 'must be 20m or more, which the proxy needs to start'],
    ['memory', { memoryLimit: '16Mi' }, 'must be 64Mi or more, which the proxy needs to start'],
  ])('give a proxy the %s that it needs to start', (_what, resources, fault) => {
    expect(() => someSettings({ resources })).toThrow(fault);
  });
});
