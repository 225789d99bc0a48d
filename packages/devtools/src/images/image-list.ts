/** The images that `make images` makes, and what each may weigh. Pure. */

export interface ImageSource {
  readonly name: string;
  readonly dockerfile: string;
  /** The package whose dependencies, as the lock file has them, are the image's bill of materials. */
  readonly package: string;
  /** Bytes of what is copied onto the base. */
  readonly mostBytes: number;
}

export const IMAGES: readonly ImageSource[] = [
  // It stands in every pod: each node pulls it once for each version.
  { name: 'tollgate-proxy', dockerfile: 'sidecar/Dockerfile', package: '@tollgate/sidecar', mostBytes: 15_000_000 },
  {
    name: 'tollgate-operator',
    dockerfile: 'operator/Dockerfile',
    package: '@tollgate/operator',
    mostBytes: 30_000_000,
  },
  {
    name: 'tollgate-server',
    dockerfile: 'packages/server/Dockerfile',
    package: '@tollgate/cli',
    mostBytes: 30_000_000,
  },
];

/** Local, and no `latest`: a kubelet does not try to pull it. */
export const imageReference = (name: string, tag = 'dev'): string => `localhost/${name}:${tag}`;

/** The files that a Dockerfile copies out of the checkout, in its order. */
export const copiedFiles = (dockerfile: string): readonly string[] =>
  dockerfile
    .split('\n')
    .filter((line) => line.startsWith('COPY '))
    .flatMap((line) =>
      line
        .split(/\s+/)
        .slice(1, -1)
        .filter((word) => !word.startsWith('--')),
    );
