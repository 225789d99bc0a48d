/** The programs as they run from source: what a bundle is made of, without waiting for one. */
import { fileURLToPath } from 'node:url';
import type { StandalonePrograms } from '@tollgate/standalone';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const SOURCE = [process.execPath, '--conditions=source', '--disable-warning=ExperimentalWarning'];

export const SOURCE_PROGRAMS: StandalonePrograms = {
  tollgate: [...SOURCE, `${ROOT}packages/cli/src/main.ts`],
  proxy: [...SOURCE, `${ROOT}sidecar/src/main.ts`],
  pglite: [...SOURCE, `${ROOT}packages/standalone/src/pglite-child.ts`],
  preload: new URL('../../../packages/standalone/src/process/stop-with-parent.ts', import.meta.url).href,
};
