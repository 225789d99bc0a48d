/** The program that makes images here: Docker where its daemon answers, else buildah, which needs none. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface ImageBuild {
  readonly dockerfile: string;
  readonly reference: string;
  readonly buildArgs: Readonly<Record<string, string>>;
}

export interface ImageBuilder {
  readonly name: 'docker' | 'buildah';
  /** What images are built on; null: as the Dockerfile says. */
  readonly base: string | null;
  build(image: ImageBuild): void;
}

/** `base`: an image that the builder can get; else Docker's is the Dockerfile's own, and buildah's is made of this Node. */
export const pickBuilder = (root: string, base: string | undefined): ImageBuilder => {
  const run = (command: string, args: readonly string[]): void => {
    execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  const args = ({ dockerfile, reference, buildArgs }: ImageBuild, chosenBase: string | null): readonly string[] => [
    '--file',
    dockerfile,
    '--tag',
    reference,
    ...Object.entries({ ...buildArgs, ...(chosenBase === null ? {} : { NODE_IMAGE: chosenBase }) }).flatMap(
      ([name, value]) => ['--build-arg', `${name}=${value}`],
    ),
    '.',
  ];
  if (answers('docker', ['info'])) {
    const chosen = base ?? null;
    return {
      name: 'docker',
      base: chosen,
      build: (image) => run('docker', ['build', '--quiet', ...args(image, chosen)]),
    };
  }
  if (answers('buildah', ['--version'])) {
    const chosen = base ?? localBase(root);
    // A local base is in no registry; one that was asked for may be.
    const pull = base === undefined ? ['--pull-never'] : [];
    return {
      name: 'buildah',
      base: chosen,
      build: (image) => run('buildah', ['bud', '--quiet', '--format', 'docker', ...pull, ...args(image, chosen)]),
    };
  }
  throw new Error('no image builder: start Docker, or install buildah (Debian: apt-get install buildah)');
};

const localBase = (root: string): string =>
  execFileSync(process.execPath, ['--conditions=source', join(root, 'e2e/clusters/cluster.ts'), 'base-image'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();

const answers = (command: string, args: readonly string[]): boolean => {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
