/** `build`: every program from its Go module, into the cache. One that was built from the same sources is left alone. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterCache, programPath } from '@tollgate/testkit/kubernetes';
import { PROGRAM_SOURCES, WITHOUT_A_NODE, type ProgramSource } from './programs.ts';
import { runCommand, endsWell } from './run-command.ts';

const MODULES = join(import.meta.dirname, 'go');

export const buildPrograms = async (which: 'all' | 'control-plane', say: (line: string) => void): Promise<void> => {
  const sources =
    which === 'all' ? PROGRAM_SOURCES : PROGRAM_SOURCES.filter(({ program }) => WITHOUT_A_NODE.has(program));
  const wanted = await Promise.all(sources.map(async (source) => ({ source, stamp: await stampOf(source) })));
  const stale: typeof wanted = [];
  for (const entry of wanted) if (!(await isBuilt(entry.source, entry.stamp))) stale.push(entry);
  if (stale.length === 0) return;

  if (!(await endsWell('go', ['version']))) {
    throw new Error('no Go: install Go 1.24 or later (https://go.dev/dl), the cluster is built from source');
  }
  say(`building ${String(stale.length)} programs for a cluster; all of them take 8 to 15 minutes on two cores, once`);
  await mkdir(join(clusterCache(), 'bin'), { recursive: true });
  for (const [index, { source, stamp }] of stale.entries()) {
    const started = Date.now();
    say(`[${String(index + 1)}/${String(stale.length)}] ${source.program}`);
    await buildProgram(source, stamp);
    say(`[${String(index + 1)}/${String(stale.length)}] ${source.program}, ${String(seconds(started))} s`);
  }
};

const buildProgram = async (source: ProgramSource, stamp: string): Promise<void> => {
  const path = programPath(source.program);
  const args = [
    'build',
    '-trimpath',
    '-buildvcs=false',
    `-ldflags=${source.ldflags.join(' ')}`,
    '-o',
    `${path}.new`,
    source.package,
  ];
  await runCommand('go', args, {
    cwd: join(MODULES, source.module),
    // Static, so that what is put into an image needs no libraries; workspaces of whoever builds do not matter.
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly' },
  });
  // In one step: a build that is cut short leaves no half program, and one that runs keeps its file.
  await rename(`${path}.new`, path);
  await writeFile(`${path}.stamp`, stamp);
};

const isBuilt = async ({ program }: ProgramSource, stamp: string): Promise<boolean> => {
  const path = programPath(program);
  return existsSync(path) && (await readFile(`${path}.stamp`, 'utf8').catch(() => '')) === stamp;
};

/** Of all that decides what is built, but for the Go compiler's own version. */
const stampOf = async ({ module, package: name, ldflags }: ProgramSource): Promise<string> => {
  const hash = createHash('sha256').update(JSON.stringify([name, ldflags]));
  // Not each module has each of them.
  const sources = ['go.mod', 'go.sum', 'main.go'].map((file) => join(MODULES, module, file)).filter(existsSync);
  for (const file of sources) hash.update(await readFile(file));
  return hash.digest('hex');
};

const seconds = (since: number): number => Math.round((Date.now() - since) / 1000);
