/**
 * An installation's life: a former version, this one, none, and this one again. The budgets live through all of it, and so do
 * the applications.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from './testing/eventually.ts';
import { aPod, OPTED_IN, tryCreate } from './testing/dry-run.ts';
import { FORMER_VERSION, makeFormerChart, type FormerChart } from './testing/former-chart.ts';
import { apply, getJson, kubectl } from './testing/kubectl.ts';
import { countedOn, nanoOf } from './testing/ledger.ts';
import {
  clearCluster,
  installOwn,
  objectsOfRelease,
  removeSystem,
  uninstallOwn,
  upgradeOwn,
} from './testing/own-release.ts';
import { podsOf } from './testing/pods.ts';
import { CHART, releaseValues, SYSTEM } from './testing/release.ts';
import { undoMigrations } from './testing/schema.ts';
import { failures, makeTeam, type Team } from './testing/team.ts';

const INSTALL_MS = 400_000;
const STORY_MS = 300_000;
const LIMIT = '0.05';
/** Of `kubectl get tokenbudgets -o wide`; the former version does not have it. */
const NEW_COLUMN = 'REASON';

interface Named {
  readonly items: readonly {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly finalizers?: readonly string[] };
  }[];
}

describe('an installation', () => {
  let former: FormerChart | null = null;
  let hard: Team;
  let soft: Team;
  const teams: Team[] = [];
  const proxies = async (): Promise<readonly string[]> =>
    (await Promise.all(teams.map(({ namespace }) => podsOf(namespace, 'app'))))
      .flat()
      .map(({ name, proxy }) => `${name}: restarts ${String(proxy?.restarts)}`);
  const wide = (): Promise<string> => kubectl(['get', 'tb', '-n', hard.namespace, '-o', 'wide']);
  const inSystem = async (...kinds: readonly string[]): Promise<readonly string[]> => {
    const { items } = await getJson<Named>('get', kinds.join(), '-n', SYSTEM);
    return items.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
  };
  const callsPass = (team: Team): Promise<unknown> =>
    eventually(
      `calls of ${team.namespace} pass`,
      () => team.ask({}),
      (outcomes) => failures(outcomes).length === 0,
    );

  beforeAll(async () => {
    await clearCluster();
    former = await makeFormerChart(NEW_COLUMN);
    await installOwn(former.folder, releaseValues('former'));
    hard = await makeTeam('hard', { limit: LIMIT });
    teams.push(hard);
    soft = await makeTeam('soft', { limit: LIMIT, enforcement: 'Soft' });
    teams.push(soft);
  }, INSTALL_MS);
  afterAll(async () => {
    await former?.remove();
    for (const team of teams) await team.remove();
    await clearCluster();
  }, INSTALL_MS);

  it(`of version ${FORMER_VERSION} has a budget, which is spent from`, async () => {
    expect(await wide()).not.toContain(NEW_COLUMN);
    expect(failures(await hard.ask({ calls: 8, atOnce: 2 }))).toEqual([]);
    expect(failures(await soft.ask({ calls: 2 }))).toEqual([]);
    for (const team of teams) await team.statusAgrees();
  });

  it(
    'is upgraded, with a ledger of a former schema, and no budget begins anew',
    async () => {
      const before = { proxies: await proxies(), counted: await countedOn(`${hard.namespace}/team`) };
      // No former version has been published whose server could have left that schema behind. So this one's goes back two
      // steps, with what was spent in it, by the command that an administrator has for it.
      expect(new Set(await undoMigrations(2)).size).toBe(2);
      await upgradeOwn(CHART, releaseValues('present'));
      expect(await wide()).toContain(NEW_COLUMN);
      expect(await countedOn(`${hard.namespace}/team`)).toEqual(before.counted);

      await callsPass(hard);
      const outcomes = await hard.ask({ calls: 60, atOnce: 4 });
      const refused = failures(outcomes);
      expect(refused.length).toBeGreaterThan(0);
      for (const outcome of refused) expect(outcome).toMatchObject({ error: 'RateLimitError', status: 429 });
      // Of before and after, together.
      expect(await hard.billed()).toBeLessThanOrEqual(nanoOf(LIMIT));
      expect(await hard.billed()).toBeGreaterThan((nanoOf(LIMIT) * 9n) / 10n);
      for (const team of teams) await team.statusAgrees();
      expect(await proxies()).toEqual(before.proxies);
    },
    STORY_MS,
  );

  it(
    'is uninstalled, and leaves no webhook and no finalizer; budgets, kinds and the ledger stay',
    async () => {
      await uninstallOwn();
      const left = await eventually('all else is gone', objectsOfRelease, (objects) => objects.length <= 4);
      expect(left).toEqual([
        'CustomResourceDefinition llminferenceservices.tollgate.dev',
        'CustomResourceDefinition modelroutes.tollgate.dev',
        'CustomResourceDefinition tokenbudgets.tollgate.dev',
        'PersistentVolumeClaim data-tollgate-postgres-0',
      ]);
      // What was made at run time belongs to no release. It goes with the namespace.
      expect(await inSystem('secrets', 'leases', 'persistentvolumeclaims')).toEqual([
        'Lease tollgate-operator',
        'PersistentVolumeClaim data-tollgate-postgres-0',
        'Secret tollgate-stores',
        'Secret tollgate-webhook-ca',
        'Secret tollgate-webhook-tls',
      ]);
      const { items } = await getJson<Named>('get', 'llm', '--all-namespaces');
      expect(items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
        'TokenBudget team',
        'TokenBudget team',
      ]);
      expect(items.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
      expect(await tryCreate(aPod(hard.namespace, OPTED_IN))).toMatchObject({ code: 0 });
    },
    STORY_MS,
  );

  it(
    'leaves pods with the proxy behind, which go on under a Soft budget and are told why not under a Hard one',
    async () => {
      const [refused] = await eventually(
        'a call is refused for want of a server',
        () => hard.ask({}),
        (outcomes) => outcomes.every(({ status }) => status === 503),
      );
      const budget = expect.stringContaining(`TokenBudget ${hard.namespace}/team`);
      expect(refused).toMatchObject({ error: 'InternalServerError', message: budget });
      expect(failures(await soft.ask({ calls: 6, atOnce: 2 }))).toEqual([]);
    },
    STORY_MS,
  );

  it(
    'is installed again, and finds what was spent, and what was spent meanwhile',
    async () => {
      const before = await proxies();
      await installOwn(CHART, releaseValues('again'));
      for (const team of teams) await team.statusAgrees();
      // Its day is spent already; raising it lets calls through in the pods that have been there all along.
      await eventually(
        'the Hard budget refuses by what it knows',
        () => hard.ask({}),
        (outcomes) => outcomes.every(({ status }) => status === 429),
      );
      await apply({
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'TokenBudget',
        metadata: { name: 'team', namespace: hard.namespace },
        spec: { enforcement: 'Hard', limits: [{ name: 'daily-cost', cost: { max: '1.00' }, period: 'Day' }] },
      });
      await callsPass(hard);
      for (const team of teams) await team.statusAgrees();
      expect(await proxies()).toEqual(before);
    },
    STORY_MS,
  );

  it(
    'is uninstalled for good, and neither its namespace nor one with budgets in it is stuck',
    async () => {
      await uninstallOwn();
      await removeSystem();
      for (const team of teams.splice(0)) await team.remove();
      const { items } = await getJson<Named>('get', 'llm', '--all-namespaces');
      expect(items).toEqual([]);
    },
    STORY_MS,
  );
});
