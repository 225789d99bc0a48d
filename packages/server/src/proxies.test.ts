import { describe, expect, it } from '@jest/globals';
import { makeProxies } from './proxies.ts';

const SUBJECT = { namespace: 'default', workload: 'local', labels: {}, team: 'default' };

describe('proxies', () => {
  it('are alive for half a minute after they were seen, or while their stream is open', () => {
    let now = 0;
    const proxies = makeProxies({ clock: () => now });
    proxies.saw('a', SUBJECT);
    proxies.saw('b', SUBJECT);
    proxies.saw('nameless');
    const detach = proxies.attached('b');
    expect(proxies.live()).toHaveLength(2);
    now = 40_000;
    expect(proxies.live()).toHaveLength(1);
    proxies.saw('a');
    expect(proxies.live()).toHaveLength(2);
    detach();
    now = 80_000;
    expect(proxies.live()).toHaveLength(0);
  });

  it('are forgotten when they leave, and an hour after they were last seen', () => {
    let now = 0;
    const proxies = makeProxies({ clock: () => now });
    proxies.saw('a', SUBJECT);
    proxies.saw('b', SUBJECT);
    proxies.left('a');
    expect(proxies.subjectOf('a')).toBeNull();
    now = 3_700_000;
    expect(proxies.subjectOf('b')).toEqual(SUBJECT);
    proxies.live();
    expect(proxies.subjectOf('b')).toBeNull();
  });
});
