/** The product, installed with helm as its README says, once for all stories of a run. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tryKubectl } from './kubectl.ts';

export const SYSTEM = 'tollgate-system';
const CHART = join(import.meta.dirname, '../../../../charts/tollgate');
const run = promisify(execFile);

/** On pods of the release, so that a cluster that is kept from run to run gets each run's images. */
const RUN = 'e2e.tollgate.dev/run';

/** What this cluster needs beside the defaults, such as images that it can have. */
const clusterValues = (): Readonly<Record<string, unknown>> =>
  JSON.parse(process.env['TOLLGATE_HELM_VALUES'] ?? '{}') as Record<string, unknown>;

export const helm = async (...args: readonly string[]): Promise<string> => {
  const { stdout } = await run(process.env['TOLLGATE_HELM'] ?? 'helm', args, { env: process.env });
  return stdout;
};

/** Two servers, since what they share is part of the stories; the others have standbys that would only wait. */
const releaseValues = (runId: string): object => {
  const podAnnotations = { [RUN]: runId };
  return {
    ...clusterValues(),
    images: { prefix: 'localhost', tag: 'dev' },
    operator: { replicas: 1, podAnnotations },
    injector: { replicas: 1, podAnnotations },
    server: { replicas: 2, podAnnotations },
  };
};

/** Leaves the release that this run has installed already as it is. */
export const ensureRelease = async (): Promise<void> => {
  const runId = process.env['TOLLGATE_E2E_RUN'] ?? 'by-hand';
  const path = `jsonpath={.spec.template.metadata.annotations.${RUN.replaceAll('.', '\\.')}}`;
  const installed = await tryKubectl(['get', 'deployment', 'tollgate-server', '-n', SYSTEM, '-o', path]);
  if (installed.stdout === runId) return;
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-release-'));
  try {
    const values = join(folder, 'values.json');
    await writeFile(values, JSON.stringify(releaseValues(runId)));
    const where = ['--namespace', SYSTEM, '--create-namespace', '--values', values];
    await helm('upgrade', '--install', 'tollgate', CHART, ...where, '--wait', '--timeout', '5m');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
