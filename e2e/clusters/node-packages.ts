/** What a node needs of the system: containerd, runc, the CNI plugins, iptables and buildah; on Debian they are installed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const PREREQUISITES = join(import.meta.dirname, '../../packages/devtools/src/prerequisites.sh');

/** `debootstrap`: for a Debian image, which is no part of the node. */
export const installNodePackages = async (...more: readonly 'debootstrap'[]): Promise<void> => {
  // Its progress is for the person who waits.
  const child = spawn(PREREQUISITES, ['cluster', 'openssl', ...more], { stdio: ['ignore', 2, 2] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('the node lacks programs of the system; they are named above');
};
