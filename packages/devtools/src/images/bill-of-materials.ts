/** The bill of materials of an image: SPDX 2.3 in JSON, made by pnpm from the lock file and the installed packages. */
import { execFileSync } from 'node:child_process';
import { withLicences, type BillPackage } from './declared-licences.ts';

/** pnpm 10, which installs the workspace, cannot; 11 reads the same lock file. */
const PNPM = 'pnpm@11.28.11';
const MOST_BYTES = 64 * 1024 * 1024;

export const billOfMaterials = (root: string, workspacePackage: string): string => {
  const args = ['--yes', PNPM, 'sbom', '--sbom-format', 'spdx', '--sbom-type', 'application', '--prod'];
  const printed = execFileSync('npx', [...args, '--filter', workspacePackage], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: MOST_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const bill = JSON.parse(printed) as { readonly spdxVersion?: string; readonly packages?: readonly BillPackage[] };
  const packages = bill.packages ?? [];
  if (bill.spdxVersion !== 'SPDX-2.3' || packages.length < 2) {
    throw new Error(`${PNPM} sbom listed nothing for ${workspacePackage}`);
  }
  return `${JSON.stringify({ ...bill, packages: withLicences(root, packages) }, null, 2)}\n`;
};
