/** The schema of the release's database, a step back: what an administrator does who returns to a former version. */
import { apply, kubectl } from './kubectl.ts';
import { IMAGES, RELEASE, SYSTEM } from './release.ts';

const POD = 'undo-migration';

/** Ends the servers, and returns the ids of what was undone. The next server that starts runs them again. */
export const undoMigrations = async (steps: number): Promise<readonly string[]> => {
  const server = `deployment/${RELEASE}-server`;
  await kubectl(['scale', server, '--replicas=0', '-n', SYSTEM]);
  await kubectl([
    'wait',
    '--for=delete',
    'pod',
    '-l',
    'app.kubernetes.io/component=server',
    '-n',
    SYSTEM,
    '--timeout=90s',
  ]);
  const undone: string[] = [];
  for (let step = 0; step < steps; step += 1) undone.push(await undoLast());
  return undone;
};

const undoLast = async (): Promise<string> => {
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: POD,
      namespace: SYSTEM,
      // As a server's: nobody else may open a connection to the database.
      labels: {
        'app.kubernetes.io/name': 'tollgate',
        'app.kubernetes.io/instance': RELEASE,
        'app.kubernetes.io/component': 'server',
      },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'tollgate',
          image: `${IMAGES.prefix}/tollgate-server:${IMAGES.tag}`,
          imagePullPolicy: 'IfNotPresent',
          args: ['migrate', 'down', '--yes'],
          env: [
            {
              name: 'DATABASE_URL',
              valueFrom: { secretKeyRef: { name: `${RELEASE}-stores`, key: 'database-url' } },
            },
          ],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  });
  try {
    await kubectl(['wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${POD}`, '-n', SYSTEM, '--timeout=60s']);
    const said = await kubectl(['logs', POD, '-n', SYSTEM]);
    const [, id] = /^undid (\S+)$/m.exec(said) ?? [];
    if (id === undefined) throw new Error(`"tollgate migrate down" undid nothing: ${said}`);
    return id;
  } finally {
    await kubectl(['delete', 'pod', POD, '-n', SYSTEM, '--wait=true']);
  }
};
