/** The webhook's certificates are replaced while pods that opt in are created one after the other. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isRolledOut } from './testing/app.ts';
import { keepAsking } from './testing/dry-run.ts';
import { eventually } from './testing/eventually.ts';
import { kubectl } from './testing/kubectl.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';
import {
  age,
  AUTHORITY_SECRET,
  deleteSecrets,
  servedCertificates,
  TLS_SECRET,
  trustedAuthorities,
} from './testing/webhook-certificates.ts';

const INSTALL_MS = 400_000;
const AT_ONCE = 3;
const INJECTORS = 2;

describe('no pod is refused', () => {
  let namespace: StoryNamespace;
  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('certificates');
  }, INSTALL_MS);
  afterAll(() => namespace?.remove());

  const whilePodsAreCreated = async (happens: () => Promise<void>): Promise<void> => {
    const askers = Array.from({ length: AT_ONCE }, () => keepAsking(namespace.name));
    const end = async (): Promise<readonly string[]> => {
      const heard = await Promise.all(askers.map((asker) => asker.end()));
      expect(heard.every(({ asked }) => asked > 0)).toBe(true);
      return heard.flatMap(({ refused }) => refused);
    };
    await happens().catch(async (error: unknown) => {
      await end();
      throw error;
    });
    // The API server may still have to take up what came last.
    await kubectl(['get', '--raw', '/readyz']);
    expect(await end()).toEqual([]);
  };

  /** The leader looks once a minute; the next one looks at once, and goes on from what is written down. */
  const anotherLeads = async (): Promise<void> => {
    const lease = ['get', 'lease', 'tollgate-operator', '-n', SYSTEM, '-o', 'jsonpath={.spec.holderIdentity}'];
    const before = await kubectl(lease);
    await kubectl(['delete', 'pod', before.split('_')[0] ?? '', '-n', SYSTEM, '--wait=false']);
    await eventually(
      'another leads',
      () => kubectl(lease),
      (now) => now !== '' && now !== before,
    );
  };
  const allServe = (what: string, isSo: (fingerprint: string) => boolean): Promise<readonly string[]> =>
    eventually(what, servedCertificates, (served) => served.length === INJECTORS && served.every(isSo));

  it('while another authority takes over: it is trusted first, signs then, and the former one is dropped last', async () => {
    await whilePodsAreCreated(async () => {
      const [former = ''] = await trustedAuthorities();
      const served = await allServe('both injectors serve one certificate', () => true);
      await deleteSecrets(AUTHORITY_SECRET);
      await anotherLeads();
      const both = await eventually('a second authority is trusted', trustedAuthorities, (now) => now.length === 2);
      expect(both).toContain(former);
      expect(await servedCertificates()).toEqual(served);

      await eventually('it is noted since when', () => age('next-published-at'), () => true); // prettier-ignore
      await anotherLeads();
      await allServe('what the new one has signed is served', (fingerprint) => !served.includes(fingerprint));
      expect(await trustedAuthorities()).toEqual(expect.arrayContaining([...both]));

      await age('swapped-at');
      await anotherLeads();
      const one = await eventually('only one is trusted', trustedAuthorities, (now) => now.length === 1);
      expect(one).toEqual(both.filter((fingerprint) => fingerprint !== former));
    });
  });

  it('while authority and certificate are lost, and made anew at once', async () => {
    await whilePodsAreCreated(async () => {
      const served = await servedCertificates();
      await deleteSecrets(AUTHORITY_SECRET, TLS_SECRET);
      await anotherLeads();
      await allServe('new certificates are served', (fingerprint) => !served.includes(fingerprint));
      expect(await trustedAuthorities()).toHaveLength(2);
    });
  });

  it('while the injectors are replaced one by one', async () => {
    await whilePodsAreCreated(async () => {
      await kubectl(['rollout', 'restart', 'deployment/tollgate-injector', '-n', SYSTEM]);
      await isRolledOut(SYSTEM, 'tollgate-injector');
    });
  });
});
