/** Asks for pods that are not made: what the admission of a cluster says of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { tryKubectl, type Said } from './kubectl.ts';

export const OPTED_IN = { 'tollgate.dev/inject': 'true' };

/** As strict as a restricted namespace wants it; its name is made by the server, since many ask at once. */
export const aPod = (namespace: string, annotations: Readonly<Record<string, string>>): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'new-', namespace, annotations },
  spec: {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'app',
        image: 'localhost/tollgate-server:dev',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
});

export const tryCreate = (object: object): Promise<Said> =>
  tryKubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(object));

/** The cluster's machine has other work to do. */
const PAUSE_MS = 250;

export interface Admissions {
  /** Resolves with how many there were, and what was said to those that were refused. */
  end(): Promise<{ readonly asked: number; readonly refused: readonly string[] }>;
}

/** Asks for one pod after the other that opts in, until it is ended. */
export const keepAsking = (namespace: string): Admissions => {
  const refused: string[] = [];
  let asked = 0;
  let isOver = false;
  const asking = (async (): Promise<void> => {
    while (!isOver) {
      const { code, stderr } = await tryCreate(aPod(namespace, OPTED_IN));
      asked += 1;
      if (code !== 0) refused.push(stderr);
      await sleep(PAUSE_MS);
    }
  })();
  return {
    end: async () => {
      isOver = true;
      await asking;
      return { asked, refused };
    },
  };
};
