/** The product, installed with helm as its README says, once for all stories of a run. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tryKubectl } from './kubectl.ts';

export const SYSTEM = 'tollgate-system';
export const RELEASE = 'tollgate';
export const CHART = join(import.meta.dirname, '../../../../charts/tollgate');
const run = promisify(execFile);

/** Helm comes back once all of it is ready. */
export const READY = ['--wait', '--timeout', '5m'];

/** On pods of the release, so that a cluster that is kept from run to run gets each run's images. */
const RUN = 'e2e.tollgate.dev/run';

/** The chart would take its images from a registry. Nobody else's release has these, so they also tell ours from others. */
export const IMAGES = { prefix: 'localhost', tag: 'dev' };

interface ClusterValues {
  readonly images: typeof IMAGES;
  readonly database?: { readonly builtIn?: object };
}

/** What any release needs here beside the defaults: images that this cluster can have. */
export const clusterValues = (): ClusterValues => ({
  ...(JSON.parse(process.env['TOLLGATE_HELM_VALUES'] ?? '{}') as Omit<ClusterValues, 'images'>),
  images: IMAGES,
});

export const helm = async (...args: readonly string[]): Promise<string> => {
  const { stdout } = await run(process.env['TOLLGATE_HELM'] ?? 'helm', args, { env: process.env });
  return stdout;
};

/** With values from a file that is gone afterwards. */
export const helmWithValues = async (values: object, ...args: readonly string[]): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-release-'));
  try {
    const file = join(folder, 'values.json');
    await writeFile(file, JSON.stringify(values));
    return await helm(...args, '--values', file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The chart's defaults, but for the images, and a volume: a PostgreSQL that goes away has to come back with its ledger. */
export const releaseValues = (runId: string): object => {
  const values = clusterValues();
  const podAnnotations = { [RUN]: runId };
  return {
    ...values,
    database: { builtIn: { ...values.database?.builtIn, persistence: { enabled: true, size: '1Gi' } } },
    operator: { podAnnotations },
    injector: { podAnnotations },
    server: { podAnnotations },
  };
};

/** Leaves the release that this run has installed already as it is. */
export const ensureRelease = async (): Promise<void> => {
  const runId = process.env['TOLLGATE_E2E_RUN'] ?? 'by-hand';
  const path = `jsonpath={.spec.template.metadata.annotations.${RUN.replaceAll('.', '\\.')}}`;
  const installed = await tryKubectl(['get', 'deployment', 'tollgate-server', '-n', SYSTEM, '-o', path]);
  if (!installed.stdout.startsWith(runId)) await installRelease(runId);
};

/** Rolls every program, as an upgrade to other images would. */
export const upgradeRelease = (): Promise<void> =>
  installRelease(`${process.env['TOLLGATE_E2E_RUN'] ?? 'by-hand'}-upgraded-${String(Date.now())}`);

const installRelease = async (runId: string): Promise<void> => {
  const where = ['--namespace', SYSTEM, '--create-namespace'];
  await helmWithValues(releaseValues(runId), 'upgrade', '--install', RELEASE, CHART, ...where, ...READY);
};
