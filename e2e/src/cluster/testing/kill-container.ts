/** SIGKILL for one container, which no API of Kubernetes sends: a pod on its node that sees the node's processes does it. */
import { apply, getJson, kubectl } from './kubectl.ts';
import { makeNamespace } from './namespace.ts';

interface PodObject {
  readonly spec: { readonly nodeName: string };
  readonly status: {
    readonly containerStatuses: readonly { readonly name: string; readonly containerID: string }[];
  };
}

const PRIVILEGED = { 'pod-security.kubernetes.io/enforce': 'privileged' };

/** A process is the container's where its control group is named after it. Prints when it was done. */
const KILL = `
const { readdirSync, readFileSync } = require('node:fs');
const id = process.argv[1];
const isIts = (pid) => { try { return readFileSync('/proc/' + pid + '/cgroup', 'utf8').includes(id); } catch { return false; } };
const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && isIts(name));
if (pids.length === 0) throw new Error('no process of ' + id);
const at = Date.now();
for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
console.log(at);
`;

/** Resolves with when its processes were killed, as milliseconds since 1970 by its node's clock. */
export const killContainer = async (namespace: string, pod: string, container: string): Promise<number> => {
  const { spec, status } = await getJson<PodObject>('get', 'pod', pod, '-n', namespace);
  const [, id] =
    /\/\/(\w+)$/.exec(status.containerStatuses.find(({ name }) => name === container)?.containerID ?? '') ?? [];
  if (id === undefined) throw new Error(`${namespace}/${pod} has no running container ${container}`);
  const { name: ours, remove } = await makeNamespace('killer', PRIVILEGED);
  try {
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'killer', namespace: ours },
      spec: {
        nodeName: spec.nodeName,
        hostPID: true,
        restartPolicy: 'Never',
        containers: [
          {
            name: 'killer',
            image: 'localhost/tollgate-server:dev',
            imagePullPolicy: 'IfNotPresent',
            command: ['node', '--eval', KILL, id],
            securityContext: { runAsUser: 0, runAsNonRoot: false },
          },
        ],
      },
    });
    await kubectl(['wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/killer', '-n', ours, '--timeout=60s']);
    return Number(await kubectl(['logs', 'killer', '-n', ours]));
  } finally {
    await remove();
  }
};
