/** `make build`: one file for each program, from the sources, with the version put in. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';

export interface Program {
  readonly entry: string;
  readonly out: string;
  /** Packages that stay packages: they find files of their own beside them. */
  readonly external?: readonly string[];
  readonly define?: Readonly<Record<string, string>>;
  /** Imports that stay imports, each of another program's file beside this one. */
  readonly beside?: Readonly<Record<string, string>>;
  /** Packages that must not be in it, by whatever way. */
  readonly without?: readonly string[];
}

const STORES = ['pg', 'ioredis', 'express', 'js-tiktoken'];

export const PROGRAMS: readonly Program[] = [
  {
    entry: 'sidecar/src/main.ts',
    out: 'sidecar/dist/proxy.js',
    // What starts with each pod starts quickly and holds no client of the stores (design §6, §2).
    without: ['zod', 'yaml', 'express', 'js-tiktoken', 'pg', 'ioredis', '@kubernetes/client-node', 'undici'],
  },
  { entry: 'packages/tokenizer/src/worker.ts', out: 'sidecar/dist/tokenizer-worker.js' },
  {
    entry: 'packages/cli/src/main.ts',
    out: 'packages/cli/dist/tollgate.js',
    beside: { '../cluster/index.ts': './tollgate-cluster.js' },
    // Read by every command that starts, and of use to five of them.
    without: ['@kubernetes/client-node', 'fast-json-patch'],
  },
  { entry: 'packages/cli/src/cluster/index.ts', out: 'packages/cli/dist/tollgate-cluster.js', without: STORES },
  // Two programs for two identities, in one image: the stores' clients belong to neither.
  { entry: 'operator/src/main-operator.ts', out: 'operator/dist/operator.js', without: STORES },
  { entry: 'operator/src/main-injector.ts', out: 'operator/dist/injector.js', without: STORES },
  // Even this little file: Node would load its type stripper for it, 12 MB in a process that is to stay small.
  {
    entry: 'packages/standalone/src/process/stop-with-parent.ts',
    out: 'packages/standalone/dist/stop-with-parent.js',
  },
  {
    entry: 'packages/standalone/src/pglite-child.ts',
    out: 'packages/standalone/dist/pglite-child.js',
    // PGlite loads its WebAssembly and its data from its own folder.
    external: ['@electric-sql/pglite', '@electric-sql/pglite-socket'],
  },
];

/** `0.1.0` on the commit tagged so, else `0.1.0+3f2a91c`, with `.dirty` where the tree has changes. */
export const versionStamp = (packageVersion: string, describe: string | null): string => {
  if (describe === null || describe === `v${packageVersion}`) return packageVersion;
  return `${packageVersion}+${describe.replace(/-dirty$/, '.dirty').replace(/[^0-9A-Za-z.-]/g, '-')}`;
};

/** Throws where the program cannot be built, or holds what it must not. */
export const bundleProgram = async (root: string, program: Program, version: string): Promise<void> => {
  const { entry, out, external = [], define = {}, beside = {}, without = [] } = program;
  if (!existsSync(join(root, entry))) throw new Error(`${entry} does not exist, so ${out} is not built`);
  const { metafile } = await build({
    ...OPTIONS,
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: out,
    external: [...OPTIONAL, ...external],
    define: { ...defines(version), ...define },
    plugins: [besides(beside)],
  });
  const unwanted = without.filter((name) => holds(metafile, name));
  if (unwanted.length > 0)
    throw new Error(`${out} must not hold ${unwanted.join(', ')}; find the import with esbuild --metafile`);
};

const besides = (files: Readonly<Record<string, string>>): Plugin => ({
  name: 'beside',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^[.]/ }, ({ path, kind }) => {
      const file = kind === 'dynamic-import' ? files[path] : undefined;
      return file === undefined ? null : { path: file, external: true };
    });
  },
});

const holds = ({ inputs }: Metafile, name: string): boolean =>
  Object.keys(inputs).some((path) => path.includes(`node_modules/${name}/`));

/** Native parts that pg and chokidar use where they are installed; they work without. */
const OPTIONAL = ['pg-native', 'fsevents'];

const NODE = 24;

const OPTIONS = {
  bundle: true,
  metafile: true,
  platform: 'node',
  format: 'esm',
  target: `node${NODE}`,
  conditions: ['source'],
  sourcemap: 'linked',
  // Stack traces and diffs of a bundle stay readable; the size on disk does not matter here.
  minify: false,
  legalComments: 'linked',
  logLevel: 'warning',
  // CommonJS dependencies call `require` for Node's own modules, and an ES module has none.
  banner: {
    js: [
      // Before anything of ours runs: an older Node gets far enough to fail with a stack trace.
      `if (Number(process.versions.node.split('.')[0]) < ${NODE}) {`,
      `  process.stderr.write('tollgate: needs Node ${NODE}, and this is ' + process.versions.node + ': use npx pnpm@10 exec tollgate\\n');`,
      '  process.exit(64);',
      '}',
      "import { createRequire as makeRequire } from 'node:module';",
      'const require = makeRequire(import.meta.url);',
    ].join('\n'),
  },
} satisfies BuildOptions;

const defines = (version: string): Record<string, string> => ({
  __TOLLGATE_VERSION__: JSON.stringify(version),
});

export const gitDescribe = (root: string): string | null => {
  try {
    return execFileSync('git', ['describe', '--tags', '--always', '--dirty'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // A source archive has no git; the package's version is all there is.
    return null;
  }
};

export const packageVersion = (root: string): string => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
};

const bundleAll = async (root: string): Promise<number> => {
  const version = versionStamp(packageVersion(root), gitDescribe(root));
  let missing = 0;
  for (const program of PROGRAMS) {
    try {
      await bundleProgram(root, program, version);
      const kib = Math.ceil(statSync(join(root, program.out)).size / 1024);
      process.stdout.write(`${relative(root, join(root, program.out)).padEnd(48)} ${String(kib).padStart(6)} KiB\n`);
    } catch (error) {
      missing += 1;
      process.stderr.write(`bundle: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  process.stdout.write(`version ${version}\n`);
  return missing === 0 ? 0 : 1;
};

if (import.meta.main) process.exitCode = await bundleAll(join(import.meta.dirname, '../../..'));
