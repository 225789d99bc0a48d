/** Our one-node cluster, as the end-to-end suite sees it. */
import { globSync } from 'node:fs';
import { copyFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { programPath } from '@tollgate/testkit/kubernetes';
import { stopCluster } from './down.ts';
import { loadImage, makeDebianImage, userInImage } from './images.ts';
import { installNodePackages } from './node-packages.ts';
import { ADMIN_KUBECONFIG, RUN, runPath } from './place.ts';
import type { SuiteCluster } from './suite-cluster.ts';
import { bringUp } from './up.ts';
import { beginUse, otherUsers } from './users.ts';

/** PostgreSQL and Redis as Debian has them: the images that the chart names cannot be pulled. */
const STORES_IMAGE = 'localhost/tollgate-stores:bookworm';

/** One that was up before the suite stays up after it, and so does one that another suite uses. */
export const startOneNode = async (say: (line: string) => void): Promise<SuiteCluster> => {
  const endUse = await beginUse();
  const isOurs = await bringUp('node', say);
  return {
    kubeconfig: ADMIN_KUBECONFIG,
    tools: { kubectl: programPath('kubectl'), helm: programPath('helm') },
    helmValues: async () => {
      await installNodePackages('debootstrap');
      await makeDebianImage(STORES_IMAGE, ['redis-server', 'postgresql-15']);
      await loadImage(STORES_IMAGE);
      const runBy = async (user: string): Promise<object> => ({
        builtIn: { image: STORES_IMAGE, runAsUser: await userInImage(STORES_IMAGE, user) },
      });
      return { database: await runBy('postgres'), redis: await runBy('redis') };
    },
    restartApiServer: `"${process.execPath}" --conditions=source "${join(import.meta.dirname, 'cluster.ts')}" restart-api-server`,
    load: async (images) => {
      for (const image of images) await loadImage(image);
    },
    saveLogs: async (folder) => {
      for (const log of globSync('*.log', { cwd: RUN })) await copyFile(runPath(log), join(folder, log));
      await cp(runPath('pod-logs'), join(folder, 'pods'), { recursive: true });
    },
    remove: async () => {
      await endUse();
      if (isOurs && (await otherUsers()).length === 0) await stopCluster();
    },
  };
};
