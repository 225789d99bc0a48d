/** Images without a registry: what the node's sandboxes need, bases for ours, and loading them into the node. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { programPath } from '@tollgate/testkit/kubernetes';
import { CONTAINERD_SOCKET, PAUSE_IMAGE, RUN } from './place.ts';
import { endsWell, runCommand } from './run-command.ts';

/** A base for the programs: Node, its libraries and the certificates of public servers; no shell, no package manager. */
export const NODE_IMAGE = 'localhost/tollgate-node:24';

/** The user that every image of ours runs as. A number, so that a kubelet can see that it is not root. */
export const NON_ROOT = 65532;

/** Imports an archive as `docker save` or buildah write it. */
export const loadArchive = async (archive: string): Promise<void> => {
  if (!existsSync(archive)) throw new Error(`no file ${archive}`);
  if (!existsSync(CONTAINERD_SOCKET)) throw new Error('the cluster is not up: run "make cluster-up"');
  await runCommand('ctr', ['-a', CONTAINERD_SOCKET, '-n', 'k8s.io', 'images', 'import', archive]);
};

/** Takes an image out of buildah's store, or Docker's, into the node. */
export const loadImage = async (name: string): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-image-'));
  try {
    const archive = join(folder, 'image.tar');
    if (await isInBuildah(name))
      await runCommand('buildah', ['push', '--quiet', name, `docker-archive:${archive}:${name}`]);
    else if (await endsWell('docker', ['image', 'inspect', name]))
      await runCommand('docker', ['save', '-o', archive, name]);
    else throw new Error(`no image ${name}, neither in buildah nor in Docker: run "make images"`);
    await loadArchive(archive);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

export const loadedImages = async (): Promise<readonly string[]> =>
  (await runCommand('ctr', ['-a', CONTAINERD_SOCKET, '-n', 'k8s.io', 'images', 'ls', '-q']))
    .split('\n')
    .filter((name) => name !== '' && !name.startsWith('sha256:'));

/** What holds a pod's namespaces; an archive, made anew each time, since it is one small file. */
export const storePauseImage = async (): Promise<string> => {
  const archive = join(RUN, 'pause.tar');
  await fromScratch(async (container, root) => {
    await copyFile(programPath('pause'), join(root, 'pause'));
    await runCommand('buildah', ['config', '--entrypoint', '["/pause"]', '--user', String(NON_ROOT), container]);
    return `docker-archive:${archive}:${PAUSE_IMAGE}`;
  });
  return archive;
};

/** Made once for each version of the Node that runs this. Resolves with its name. */
export const makeNodeImage = async (name: string = NODE_IMAGE): Promise<string> => {
  const mark = `node ${process.version} ${process.arch}`;
  if (await isMadeOf(name, mark)) return name;
  const node = await realpath(process.execPath);
  await fromScratch(async (container, root) => {
    for (const folder of ['usr/local/bin', 'etc/ssl/certs', 'tmp'])
      await mkdir(join(root, folder), { recursive: true });
    await runCommand('chmod', ['1777', join(root, 'tmp')]);
    await copyFile(node, join(root, 'usr/local/bin/node'));
    for (const library of await librariesOf(node)) {
      await mkdir(join(root, dirname(library)), { recursive: true });
      await copyFile(library, join(root, library));
    }
    await copyFile('/etc/ssl/certs/ca-certificates.crt', join(root, 'etc/ssl/certs/ca-certificates.crt'));
    await writeFile(
      join(root, 'etc/passwd'),
      `root:x:0:0::/:/none\nnonroot:x:${String(NON_ROOT)}:${String(NON_ROOT)}::/tmp:/none\n`,
    );
    await writeFile(join(root, 'etc/group'), `root:x:0:\nnonroot:x:${String(NON_ROOT)}:\n`);
    await runCommand('buildah', ['config', '--env', 'PATH=/usr/local/bin', '--label', `${MARK}=${mark}`, container]);
    return name;
  });
  return name;
};

/** A whole Debian with those packages: what a registry would give (Redis, PostgreSQL), from Debian's own archive. */
export const makeDebianImage = async (name: string, packages: readonly string[]): Promise<string> => {
  const mark = `debian bookworm ${[...packages].sort().join(' ')}`;
  if (await isMadeOf(name, mark)) return name;
  if (!(await endsWell('debootstrap', ['--version'])))
    throw new Error('debootstrap is not installed: apt-get install debootstrap');
  await fromScratch(async (container, root) => {
    const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
    await runCommand('debootstrap', ['--variant=minbase', ...include, 'bookworm', root, await debianMirror()]);
    // Downloads, indexes and manuals are half of it, and nobody reads them in a container.
    for (const leftover of [
      'var/cache/apt',
      'var/lib/apt/lists',
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
    ]) {
      for (const entry of await readdir(join(root, leftover)).catch(() => [])) {
        await rm(join(root, leftover, entry), { recursive: true, force: true });
      }
    }
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    await runCommand('buildah', ['config', '--env', path, '--label', `${MARK}=${mark}`, container]);
    return name;
  });
  return name;
};

/** The number that an image has given to a user; a pod must name it by that. */
export const userInImage = async (image: string, user: string): Promise<number> => {
  const container = (await runCommand('buildah', ['from', '--pull-never', image])).trim();
  try {
    const root = (await runCommand('buildah', ['mount', container])).trim();
    const users = await readFile(join(root, 'etc/passwd'), 'utf8');
    const id = new RegExp(`^${user}:[^:]*:(\\d+):`, 'm').exec(users)?.[1];
    if (id === undefined) throw new Error(`${image} has no user ${user}`);
    return Number(id);
  } finally {
    await runCommand('buildah', ['rm', container]);
  }
};

/** Says what a local image was made of, so that it is made again when that changes. */
const MARK = 'dev.tollgate.made-of';

/** `fill` puts files into the root and answers what the image is to be called. */
const fromScratch = async (fill: (container: string, root: string) => Promise<string>): Promise<void> => {
  const container = (await runCommand('buildah', ['from', 'scratch'])).trim();
  try {
    const root = (await runCommand('buildah', ['mount', container])).trim();
    const target = await fill(container, root);
    await runCommand('buildah', ['commit', '--quiet', container, target]);
  } finally {
    await runCommand('buildah', ['rm', container]);
  }
};

const isInBuildah = (name: string): Promise<boolean> => endsWell('buildah', ['inspect', '--type', 'image', name]);

const isMadeOf = async (name: string, mark: string): Promise<boolean> => {
  const format = `{{index .OCIv1.Config.Labels "${MARK}"}}`;
  const made = await runCommand('buildah', ['inspect', '--type', 'image', '--format', format, name]).catch(() => '');
  return made.trim() === mark;
};

/** The loader among them. A program that needs none makes ldd fail. */
const librariesOf = async (program: string): Promise<readonly string[]> => {
  const listed = await runCommand('ldd', [program]);
  return [...listed.matchAll(/(?:=> |^\s*)(\/\S+)/gm)].map(([, path = '']) => path);
};

/** The archive that this machine itself uses, where it says so. */
const debianMirror = async (): Promise<string> => {
  const sources = await runCommand('sh', [
    '-c',
    'cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true',
  ]);
  return /^(?:URIs:|deb(?: \[[^\]]*\])?)\s*(http\S+)/m.exec(sources)?.[1] ?? 'http://deb.debian.org/debian';
};
