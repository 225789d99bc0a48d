/** The licences that packages declare, from where pnpm has installed them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BillPackage {
  readonly name: string;
  readonly versionInfo?: string;
  readonly licenseDeclared?: string;
}

/** SPDX's own word for what a bill does not say. */
const UNSAID = 'NOASSERTION';

/** pnpm 11 looks for them in its own store, which the pnpm that installed these packages does not fill. */
export const withLicences = <P extends BillPackage>(root: string, packages: readonly P[]): readonly P[] =>
  packages.map((entry) =>
    entry.licenseDeclared === UNSAID ? { ...entry, licenseDeclared: installedLicence(root, entry) ?? UNSAID } : entry,
  );

const installedLicence = (root: string, { name, versionInfo = '' }: BillPackage): string | null => {
  // `@a/b` lies in a folder named `@a+b@1.2.3`, with a suffix for its peers.
  const folder = `${name.replace('/', '+')}@${versionInfo}`;
  const [found] = globSync([folder, `${folder}_*`], { cwd: join(root, 'node_modules/.pnpm') });
  if (found === undefined) return null;
  const manifest = JSON.parse(
    readFileSync(join(root, 'node_modules/.pnpm', found, 'node_modules', name, 'package.json'), 'utf8'),
  ) as { readonly license?: unknown };
  return typeof manifest.license === 'string' ? manifest.license : null;
};
