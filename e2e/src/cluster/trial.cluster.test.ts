/** Somebody tries Tollgate out: definitions by hand, the chart without a value but for the demo, and what its notes say. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, deployApps, deployProvider, isRolledOut } from './testing/app.ts';
import { eventually } from './testing/eventually.ts';
import { getJson, kubectl } from './testing/kubectl.ts';
import { nanoOf } from './testing/ledger.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import {
  clearCluster,
  installOwn,
  objectsOfRelease,
  removeSystem,
  uninstallOwn,
  upgradeOwn,
} from './testing/own-release.ts';
import { podsOf } from './testing/pods.ts';
import { CHART, clusterValues, helm, RELEASE, SYSTEM } from './testing/release.ts';
import { inShell, watchInShell } from './testing/shell.ts';

const CRDS = join(CHART, '../../crds');
const INSTALL_MS = 400_000;
const STORY_MS = 300_000;
const DEMO = 'tollgate-demo';
const MINUTE_MS = 60_000;

interface Definition {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
    };
  }[];
}

/** The third column, of every row that a watch has printed so far. */
const spentIn = (table: string): readonly string[] =>
  table
    .split('\n')
    .filter((line) => line.includes('$'))
    .map((line) => line.split(/\s+/)[2] ?? '');

describe('trying it out', () => {
  let notes = '';
  const values = clusterValues();
  /** From the first line that has this in it to the one that has that, as printed. */
  const linesOf = (from: string, to: string): string => {
    const lines = notes.split('\n');
    const start = lines.findIndex((line) => line.includes(from));
    const end = lines.findIndex((line, index) => index >= start && line.includes(to));
    if (start < 0 || end < 0) throw new Error(`the notes have no "${from}" with "${to}" after it:\n${notes}`);
    return lines.slice(start, end + 1).join('\n');
  };
  const demoSpent = async (): Promise<bigint> => {
    const spent = await kubectl(['get', 'tb', 'demo', '-n', DEMO, '-o', 'jsonpath={.status.summary.spent}']);
    return nanoOf(spent.replace(/[$,]/g, ''));
  };

  beforeAll(async () => {
    await clearCluster();
    // As the first page of the documentation says.
    await kubectl(['apply', '-f', CRDS]);
    notes = await installOwn(CHART, values, '--set', 'demo.enabled=true');
  }, INSTALL_MS);
  afterAll(() => clearCluster(), INSTALL_MS);

  it('moves the budget of the demo within a minute, before the eyes of who watches', async () => {
    const { stdout, tookMs } = await watchInShell(
      linesOf(`${DEMO} get tokenbudgets -w`, '-w'),
      (table) => new Set(spentIn(table)).size >= 2,
      MINUTE_MS,
    );
    process.stderr.write(`the demo moved after ${String(Math.round(tookMs / 1000))} s:\n${stdout}`);
    expect(nanoOf(spentIn(stdout).at(-1)?.slice(1) ?? '')).toBeGreaterThan(0n);
  });

  it('needs no volume, and has taken the definitions that were applied by hand into the release', async () => {
    expect(await kubectl(['get', 'pvc', '-n', SYSTEM, '-o', 'name'])).toBe('');
    const { items } = await getJson<Definition>('get', 'crd', '-l', `app.kubernetes.io/instance=${RELEASE}`);
    expect(items.map(({ metadata }) => metadata.name)).toHaveLength(3);
    for (const { metadata } of items) {
      expect(metadata.labels['app.kubernetes.io/managed-by']).toBe('Helm');
      expect(metadata.annotations).toMatchObject({
        'meta.helm.sh/release-name': RELEASE,
        'meta.helm.sh/release-namespace': SYSTEM,
        'helm.sh/resource-policy': 'keep',
      });
    }
  });

  it('goes by what the notes say next: it is ready, and checks itself', async () => {
    const said = await inShell(linesOf('rollout status', 'helm test'));
    for (const program of ['operator', 'injector', 'server'])
      expect(said).toContain(`deployment "${RELEASE}-${program}" successfully rolled out`);
    expect(said).toContain('Succeeded');
  });

  describe('in a namespace with a Deployment of its own', () => {
    let namespace: StoryNamespace;
    beforeAll(async () => {
      namespace = await makeNamespace('trial');
      await deployProvider(namespace.name);
      await deployApps(namespace.name, ['web']);
    }, INSTALL_MS);
    afterAll(() => namespace?.remove());

    it('gives it a budget, and has it spend, by the lines of the notes pasted as they stand', async () => {
      const lines = linesOf('-n NAMESPACE apply', '-n NAMESPACE get tokenbudgets -w')
        .replaceAll('NAMESPACE', namespace.name)
        .replaceAll('deployment NAME', 'deployment web');
      const { stdout } = await watchInShell(lines, (said) => /^everyone .* True /m.test(said));
      expect(stdout).toContain('tokenbudget.tollgate.dev/everyone created');
      expect(stdout).toContain('deployment.apps/web annotated');
      await isRolledOut(namespace.name, 'web');
      const [pod] = await eventually(
        'the pod has the proxy',
        () => podsOf(namespace.name, 'web'),
        (pods) => pods.length === 1 && pods[0]?.proxy?.ready === true,
      );
      expect(await ask(namespace.name, pod?.name ?? '')).toMatchObject([{ ok: true, costUsd: expect.any(String) }]);
      await eventually(
        'the budget shows the call',
        () => kubectl(['get', 'tb', 'everyone', '-n', namespace.name, '--no-headers']),
        (row) => nanoOf(spentIn(row)[0]?.slice(1) ?? '0') > 0n,
      );
    });
  });

  it(
    'forgets nothing at an upgrade, though its PostgreSQL has no volume and the demo is made anew',
    async () => {
      const postgres = ['get', 'pod', 'tollgate-postgres-0', '-n', SYSTEM, '-o', 'jsonpath={.metadata.uid}'];
      const before = { pod: await kubectl(postgres), spent: await demoSpent() };
      expect(before.spent).toBeGreaterThan(0n);
      // Another setting of PostgreSQL's pod, which an upgrade would roll.
      const cpu = 'database.builtIn.resources.requests.cpu=90m';
      await upgradeOwn(CHART, values, '--set', 'demo.enabled=true', '--set', cpu, '--set', 'server.podAnnotations.a=b');
      expect(await kubectl(postgres)).toBe(before.pod);
      await eventually('it goes on from there', demoSpent, (spent) => spent > before.spent);
      expect(await helm('get', 'manifest', RELEASE, '-n', SYSTEM)).toContain('kind: CustomResourceDefinition');
    },
    STORY_MS,
  );

  it(
    'starts anew by itself when the pod of its PostgreSQL goes, as the notes warn',
    async () => {
      const before = await demoSpent();
      await kubectl(['delete', 'pod', 'tollgate-postgres-0', '-n', SYSTEM]);
      await eventually('the budget of the demo has forgotten', demoSpent, (spent) => spent < before, STORY_MS);
      const after = await demoSpent();
      await eventually('its calls go on', demoSpent, (spent) => spent > after, STORY_MS);
      await kubectl(['wait', '--for=condition=Ready', 'tb/demo', '-n', DEMO, '--timeout=60s']);
    },
    2 * STORY_MS,
  );

  it(
    'is taken away with the demo, and nothing is stuck',
    async () => {
      await uninstallOwn();
      const left = await eventually('all but the kinds is gone', objectsOfRelease, (objects) => objects.length <= 3);
      expect(left.map((object) => object.split(' ')[0])).toEqual(Array(3).fill('CustomResourceDefinition'));
      await kubectl(['wait', '--for=delete', `namespace/${DEMO}`, '--timeout=120s']);
      await removeSystem();
    },
    STORY_MS,
  );
});
