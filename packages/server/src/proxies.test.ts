import { describe, expect, it } from '@jest/globals';
import type { DegradedReason } from '@tollgate/ledger';
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
    expect([proxies.live().length, proxies.count()]).toEqual([2, 2]);
    now = 40_000;
    expect(proxies.live()).toHaveLength(1);
    proxies.saw('a');
    expect(proxies.live()).toHaveLength(2);
    detach();
    now = 80_000;
    expect(proxies.live()).toHaveLength(0);
  });

  it('live no longer than their pod carries the proxy, and say what they run', () => {
    const pods = new Set(['uid-1']);
    const proxies = makeProxies({ clock: () => 0, isPod: (uid) => pods.has(uid) });
    proxies.saw('a', SUBJECT, 'uid-1');
    proxies.saw('b', SUBJECT, null);
    proxies.runs('a', { snapshot: 'v1', direct: [] });
    proxies.saw('a');
    expect(proxies.podOf('a')).toBe('uid-1');
    expect(proxies.live()).toEqual([
      { instance: 'a', subject: SUBJECT, snapshot: 'v1', direct: [], callers: null },
      { instance: 'b', subject: SUBJECT, snapshot: null, direct: null, callers: null },
    ]);
    pods.clear();
    expect(proxies.live().map(({ instance }) => instance)).toEqual(['b']);
  });

  it('are counted by what is wrong around them, as they last said, while they are alive', () => {
    let now = 0;
    const proxies = makeProxies({ clock: () => now });
    const says = (instance: string, ...degraded: readonly DegradedReason[]): void => {
      proxies.saw(instance, SUBJECT);
      proxies.speaks(instance, { version: '1', library: null, degraded });
    };
    says('a', 'spool_full');
    says('b', 'spool_full', 'overdraft');
    says('c');
    expect([proxies.countDegraded('spool_full'), proxies.countDegraded('overdraft')]).toEqual([2, 1]);
    says('b');
    expect(proxies.countDegraded('spool_full')).toBe(1);
    now = 40_000;
    expect(proxies.countDegraded('spool_full')).toBe(0);
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
    expect(proxies.count()).toBe(0);
    expect(proxies.subjectOf('b')).toBeNull();
  });
});
