/** A probe per dependency rule: a stub of the workspace with one breach of each, judged by the real configuration. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../..');
const CONFIG = join(ROOT, '.dependency-cruiser.cjs');

interface Probe {
  readonly rule: string;
  /** The file with the breach, and what it imports. */
  readonly file: string;
  readonly imports: string;
  /** Other rules that the same line breaks. */
  readonly also?: readonly string[];
}

const PROBES: readonly Probe[] = [
  { rule: 'no-cycles', file: 'packages/server/src/cycle-a.ts', imports: './cycle-b.ts' },
  { rule: 'no-junk-drawer', file: 'packages/server/src/uses-drawer.ts', imports: './utils.ts' },
  { rule: 'declared-only', file: 'packages/server/src/undeclared.ts', imports: 'left-pad' },
  {
    rule: 'nothing-unresolved',
    file: 'packages/server/src/missing.ts',
    imports: './nowhere.ts',
    also: ['declared-only'],
  },
  {
    rule: 'packages-know-no-process',
    file: 'packages/server/src/takes-operator.ts',
    imports: '../../../operator/src/plane.ts',
  },
  {
    rule: 'standalone-spawns-the-proxy',
    file: 'packages/standalone/src/takes-proxy.ts',
    imports: '../../../sidecar/src/pipeline.ts',
  },
  {
    rule: 'command-asks-clusters-in-one-place',
    file: 'packages/cli/src/commands/asks.ts',
    imports: '../../../../operator/src/plane.ts',
  },
  { rule: 'processes-are-strangers', file: 'operator/src/takes-proxy.ts', imports: '../../sidecar/src/pipeline.ts' },
  { rule: 'nobody-imports-main', file: 'sidecar/src/takes-main.ts', imports: './main.ts' },
  { rule: 'adapters-only-from-main', file: 'sidecar/src/picks-adapter.ts', imports: '@tollgate/ledger/http' },
  { rule: 'pure-does-no-io', file: 'packages/budget/src/reads-file.ts', imports: 'node:fs' },
  { rule: 'pure-takes-no-client', file: 'packages/budget/src/logs.ts', imports: 'pino' },
  { rule: 'pure-imports-pure', file: 'packages/budget/src/leases.ts', imports: '@tollgate/ledger' },
  { rule: 'proxy-stays-light', file: 'sidecar/src/parses.ts', imports: 'zod' },
  { rule: 'pg-in-store', file: 'packages/server/src/queries.ts', imports: 'pg' },
  { rule: 'redis-in-ledger', file: 'packages/ledger/src/memory/caches.ts', imports: 'ioredis' },
  { rule: 'tiktoken-in-tokenizer', file: 'packages/server/src/counts.ts', imports: 'js-tiktoken' },
  { rule: 'express-in-server', file: 'packages/standalone/src/serves.ts', imports: 'express' },
  { rule: 'proxy-dials-in-upstream', file: 'sidecar/src/pipeline/calls.ts', imports: 'node:net' },
  { rule: 'passthrough-in-one-file', file: 'sidecar/src/upstream/transport.ts', imports: 'http-proxy-middleware' },
  { rule: 'kubernetes-in-one-place', file: 'operator/src/reconcile.ts', imports: '@kubernetes/client-node' },
  { rule: 'tests-and-testkit-stay-out', file: 'packages/cli/src/commands/serve.ts', imports: '@tollgate/testkit' },
  { rule: 'testkit-judges-alone', file: 'packages/testkit/src/bills.ts', imports: '@tollgate/metering' },
];

/** What is allowed: each of these would be a breach elsewhere. */
const ALLOWED: readonly Omit<Probe, 'rule'>[] = [
  { file: 'packages/standalone/src/takes-operator.ts', imports: '../../../operator/src/plane.ts' },
  { file: 'packages/prices/src/build/reads-source.ts', imports: 'node:fs' },
  { file: 'packages/budget/src/window.test.ts', imports: 'node:fs' },
  { file: 'packages/budget/src/uses-api.ts', imports: '@tollgate/api' },
  { file: 'packages/store/src/pool.ts', imports: 'pg' },
  { file: 'packages/ledger/src/redis/client.ts', imports: 'ioredis' },
  { file: 'packages/tokenizer/src/worker.ts', imports: 'js-tiktoken' },
  { file: 'packages/server/src/app.ts', imports: 'express' },
  { file: 'sidecar/src/upstream/http.ts', imports: 'node:net' },
  { file: 'sidecar/src/upstream/passthrough.ts', imports: 'http-proxy-middleware' },
  { file: 'operator/src/kube/client.ts', imports: '@kubernetes/client-node' },
  { file: 'sidecar/src/pipeline.test.ts', imports: '@tollgate/testkit' },
  { file: 'packages/cli/src/commands/mock-provider.ts', imports: '@tollgate/testkit' },
];

const CLIENTS = [
  'pg',
  'pino',
  'zod',
  'express',
  'ioredis',
  'js-tiktoken',
  'http-proxy-middleware',
  '@kubernetes/client-node',
];
const PACKAGES = [
  'api',
  'metering',
  'prices',
  'budget',
  'tokenizer',
  'ledger',
  'store',
  'server',
  'standalone',
  'cli',
  'testkit',
];

let tree = '';
let violations: ReadonlyMap<string, ReadonlySet<string>> = new Map();

beforeAll(async () => {
  tree = mkdtempSync(join(tmpdir(), 'tollgate-rules-'));
  plantStub(tree);
  for (const { file, imports } of [...PROBES, ...ALLOWED]) plant(file, `import '${imports}';\n`);
  violations = await judge(tree);
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe('the dependency rules', () => {
  it('have a probe each, and no probe is without its rule', () => {
    const { forbidden } = createRequire(import.meta.url)(CONFIG) as { forbidden: { name: string }[] };
    expect(PROBES.map(({ rule }) => rule).sort()).toEqual(forbidden.map(({ name }) => name).sort());
  });

  it.each(PROBES)('$rule catches $file importing $imports', ({ rule, file, also = [] }) => {
    expect([...(violations.get(file) ?? [])].sort()).toEqual([rule, ...also].sort());
  });

  it.each(ALLOWED)('let $file import $imports', ({ file }) => {
    expect(violations.get(file)).toBeUndefined();
  });
});

const plant = (file: string, text: string): void => {
  mkdirSync(dirname(join(tree, file)), { recursive: true });
  writeFileSync(join(tree, file), text);
};

/** The workspace as pnpm lays it out: packages linked by name, clients in their store. */
const plantStub = (root: string): void => {
  copyFileSync(join(ROOT, 'tsconfig.base.json'), join(root, 'tsconfig.base.json'));
  plant('package.json', '{"name":"stub","private":true}');
  const dependencies = Object.fromEntries(
    [...CLIENTS, ...PACKAGES.map((name) => `@tollgate/${name}`)].map((name) => [name, '*']),
  );
  const manifest = (name: string): string => {
    const exports = { '.': { source: './src/index.ts' }, './http': { source: './src/http/index.ts' } };
    return JSON.stringify({ name: `@tollgate/${name}`, type: 'module', exports, dependencies });
  };
  for (const name of PACKAGES) {
    plant(`packages/${name}/package.json`, manifest(name));
    plant(`packages/${name}/src/index.ts`, 'export {};\n');
    link(root, `packages/${name}`, `node_modules/@tollgate/${name}`);
  }
  for (const name of ['operator', 'sidecar']) plant(`${name}/package.json`, manifest(name));
  for (const name of [...CLIENTS, 'left-pad']) {
    // Its main in dist/, as client-node's is: an `exclude` of dist/ once hid it, and its rule never fired.
    const home = `node_modules/.pnpm/${name.replace('/', '+')}@1.0.0/node_modules/${name}`;
    plant(`${home}/package.json`, JSON.stringify({ name, main: './dist/index.js' }));
    plant(`${home}/dist/index.js`, '');
    link(root, home, `node_modules/${name}`);
  }
  plant('packages/server/src/cycle-b.ts', "import './cycle-a.ts';\n");
  plant('packages/server/src/utils.ts', 'export {};\n');
  plant('packages/ledger/src/http/index.ts', 'export {};\n');
  plant('operator/src/plane.ts', 'export {};\n');
  plant('sidecar/src/pipeline.ts', 'export {};\n');
  plant('sidecar/src/main.ts', "import '@tollgate/ledger/http';\n");
};

const link = (root: string, target: string, path: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(relative(dirname(join(root, path)), join(root, target)), join(root, path));
};

/** File → names of the rules it breaks. */
const judge = async (root: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> => {
  const command = join(ROOT, 'node_modules/.bin/depcruise');
  const args = ['--config', CONFIG, '--output-type', 'json', 'operator', 'sidecar', 'packages'];
  // Its JSON goes to stdout; with this output type the exit code is 0 however many breaches there are.
  const { stdout } = await promisify(execFile)(command, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  const broken = new Map<string, Set<string>>();
  for (const { from, rule } of summary.violations) broken.set(from, (broken.get(from) ?? new Set()).add(rule.name));
  return broken;
};
