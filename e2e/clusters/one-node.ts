/** Our one-node cluster, as the end-to-end suite sees it. */
import { globSync } from 'node:fs';
import { copyFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { programPath } from '@tollgate/testkit/kubernetes';
import { stopCluster } from './down.ts';
import { loadImage } from './images.ts';
import { ADMIN_KUBECONFIG, RUN, runPath } from './place.ts';
import type { SuiteCluster } from './suite-cluster.ts';
import { bringUp } from './up.ts';
import { beginUse, otherUsers } from './users.ts';

/** One that was up before the suite stays up after it, and so does one that another suite uses. */
export const startOneNode = async (say: (line: string) => void): Promise<SuiteCluster> => {
  const endUse = await beginUse();
  const isOurs = await bringUp('node', say);
  return {
    kubeconfig: ADMIN_KUBECONFIG,
    tools: { kubectl: programPath('kubectl'), helm: programPath('helm') },
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
