/** The project's one-node Kubernetes on this machine, without a registry and without Docker. Its commands are in USAGE. */
import { join } from 'node:path';
import { clusterCache } from '@tollgate/testkit/kubernetes';
import { buildPrograms } from './build-programs.ts';
import { restartApiServer } from './control-plane.ts';
import { stopCluster } from './down.ts';
import { loadArchive, loadImage, makeDebianImage, makeNodeImage } from './images.ts';
import { describeCluster } from './status.ts';
import { installNodePackages } from './node-packages.ts';
import { bringUp, needRoot } from './up.ts';
import { otherUsers } from './users.ts';

const USAGE = `usage: cluster.ts COMMAND
  build [control-plane]          build etcd, Kubernetes, kubectl, helm and CoreDNS from their Go modules, once; or what
                                 tests of an API server need, without a node
  control-plane                  start etcd, the API server and the controller manager: pods are kept and do not run
  up                             start all of it, and a node that runs pods, with Services, DNS and volumes
  base-image [NAME]              make a local image of Node that ours are built on
  debian-image NAME PACKAGE...   make a local image of Debian with those packages
  load IMAGE|FILE.tar...         put images into the node, from buildah, Docker or an archive
  restart-api-server [SECONDS]   kill the API server, and have it back after so long (15)
  status                         say what runs
  down [--force]                 end everything and forget the cluster; the built programs stay. Refuses while a suite runs
The cache is $TOLLGATE_CACHE/cluster, by default ~/.cache/tollgate/cluster.
`;

const say = (line: string): void => {
  process.stderr.write(`cluster: ${line}\n`);
};

const run = async (command: string | undefined, args: readonly string[]): Promise<number> => {
  switch (command) {
    case 'build':
      if (args[0] !== undefined && args[0] !== 'control-plane') return usage();
      await buildPrograms(args[0] ?? 'all', say);
      say(`built: ${join(clusterCache(), 'bin')}`);
      return 0;
    case 'control-plane':
      await bringUp('control-plane', say);
      return 0;
    case 'up':
      await bringUp('node', say);
      return 0;
    case 'base-image':
      needRoot();
      process.stdout.write(`${await makeNodeImage(args[0])}\n`);
      return 0;
    case 'debian-image': {
      const [name, ...packages] = args;
      if (name === undefined) return usage();
      needRoot();
      await installNodePackages('debootstrap');
      process.stdout.write(`${await makeDebianImage(name, packages)}\n`);
      return 0;
    }
    case 'load':
      if (args.length === 0) return usage();
      for (const image of args) {
        await (image.endsWith('.tar') ? loadArchive(image) : loadImage(image));
        say(`loaded ${image}`);
      }
      return 0;
    case 'restart-api-server': {
      const seconds = Number(args[0] ?? '15');
      if (!(seconds >= 0)) return usage();
      needRoot();
      await restartApiServer(seconds * 1000);
      say(`the API server was away for ${String(seconds)} s, and is back`);
      return 0;
    }
    case 'status':
      process.stdout.write(`${await describeCluster()}\n`);
      return 0;
    case 'down': {
      const users = args[0] === '--force' ? [] : await otherUsers();
      if (users.length > 0) {
        say(`a suite is at work with it (process ${users.join(', ')}): wait for it, or say "down --force"`);
        return 1;
      }
      say((await stopCluster()) ? 'ended' : 'there was none');
      return 0;
    }
    default:
      return usage();
  }
};

const usage = (): number => {
  process.stderr.write(USAGE);
  return 64;
};

const [command, ...args] = process.argv.slice(2);
try {
  process.exitCode = await run(command, args);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
