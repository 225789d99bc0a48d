/** `helm upgrade` to other pods of every program, while applications call and new pods come. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from './testing/eventually.ts';
import { getJson } from './testing/kubectl.ts';
import { keepAsking } from './testing/dry-run.ts';
import { ensureRelease, SYSTEM, upgradeRelease } from './testing/release.ts';
import { failures, makeTeam, type Team } from './testing/team.ts';

const INSTALL_MS = 400_000;
const UPGRADE_MS = 400_000;

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  }[];
}

const ROLLED = ['operator', 'injector', 'server'];

const podsOfRelease = async (): Promise<readonly string[]> => {
  const { items } = await getJson<Pods>('get', 'pods', '-n', SYSTEM);
  return items
    .filter(({ metadata }) => ROLLED.includes(metadata.labels['app.kubernetes.io/component'] ?? ''))
    .map(({ metadata }) => metadata.name);
};

describe('an upgrade of the release', () => {
  let team: Team;
  beforeAll(async () => {
    await ensureRelease();
    team = await makeTeam('upgrade', { limit: '50.00', replicas: 2 });
  }, INSTALL_MS);
  afterAll(() => team?.remove());

  it(
    'fails no call, though nobody tries again, and refuses no pod that opts in; every account agrees',
    async () => {
      const before = await podsOfRelease();
      expect(before.length).toBeGreaterThanOrEqual(6);
      await team.begin({ atOnce: 3, pauseMs: 100, once: true });
      const admissions = keepAsking(team.namespace);
      await upgradeRelease();
      // Helm waits for the new pods, and not until the old ones have said goodbye.
      const after = await eventually('every old pod is gone', podsOfRelease, (names) =>
        before.every((name) => !names.includes(name)),
      );
      const outcomes = await team.end();
      const { asked, refused } = await admissions.end();

      expect(after.length).toBeGreaterThanOrEqual(6);
      expect(outcomes.length).toBeGreaterThan(100);
      expect(failures(outcomes)).toEqual([]);
      expect(asked).toBeGreaterThan(10);
      expect(refused).toEqual([]);
      await team.statusAgrees();
    },
    UPGRADE_MS,
  );
});
