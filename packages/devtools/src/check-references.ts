/** Each package's tsconfig `references` equal its workspace dependencies, so that `tsc -b` and pnpm see one graph. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export interface ReferenceFault {
  readonly package: string;
  readonly message: string;
}

/** The faults of the workspace at `root`; none means that all agree. */
export const checkReferences = (root: string): readonly ReferenceFault[] => {
  const packages = readPackages(root);
  const folderOf = new Map(packages.map(({ name, folder }) => [name, folder]));
  const faults = packages.flatMap((entry) => packageFaults(entry, folderOf));
  const listed = new Set(readReferences(root, '.'));
  const unlisted = packages.filter(({ folder }) => !listed.has(folder));
  return [
    ...faults,
    ...unlisted.map(({ name, folder }) => ({
      package: name,
      message: `the root tsconfig.json does not reference ${folder}`,
    })),
  ];
};

interface WorkspacePackage {
  readonly name: string;
  readonly folder: string;
  readonly dependencies: readonly string[];
  readonly references: readonly string[];
}

const packageFaults = (
  { name, dependencies, references }: WorkspacePackage,
  folderOf: ReadonlyMap<string, string>,
): ReferenceFault[] => {
  const wanted = new Map(dependencies.map((dependency) => [folderOf.get(dependency) ?? dependency, dependency]));
  return [
    ...[...wanted].flatMap(([folder, dependency]) =>
      references.includes(folder)
        ? []
        : [{ package: name, message: `depends on ${dependency}; its tsconfig does not reference ${folder}` }],
    ),
    ...references.flatMap((folder) =>
      wanted.has(folder)
        ? []
        : [{ package: name, message: `its tsconfig references ${folder}; package.json does not depend on it` }],
    ),
  ];
};

const readPackages = (root: string): WorkspacePackage[] =>
  globSync(['operator/package.json', 'sidecar/package.json', 'e2e/package.json', 'packages/*/package.json'], {
    cwd: root,
  })
    .filter((path) => existsSync(join(root, dirname(path), 'tsconfig.json')))
    .sort()
    .map((path) => {
      const manifest = readJson(join(root, path)) as {
        name: string;
        dependencies?: Record<string, string>;
        devDependencies?: Record<string, string>;
      };
      const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
      return {
        name: manifest.name,
        folder: dirname(path),
        dependencies: all.flatMap(([dependency, range]) => (range.startsWith('workspace:') ? [dependency] : [])),
        references: readReferences(root, dirname(path)),
      };
    });

const readReferences = (root: string, folder: string): string[] => {
  const { references = [] } = readJson(join(root, folder, 'tsconfig.json')) as { references?: { path: string }[] };
  return references.map(({ path }) => relative(root, join(root, folder, path)));
};

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

if (import.meta.main) {
  const faults = checkReferences(join(import.meta.dirname, '../../..'));
  for (const fault of faults) process.stderr.write(`${fault.package}: ${fault.message}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
