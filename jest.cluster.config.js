/** The suite that needs a cluster: `make e2e`. `make test` does not run it. */
import { join } from 'node:path';
import base from './jest.config.js';

const [
  { rootDir, testEnvironment, testEnvironmentOptions, extensionsToTreatAsEsm, transform, modulePathIgnorePatterns },
] = base.projects;

export default {
  rootDir,
  testEnvironment,
  testEnvironmentOptions,
  extensionsToTreatAsEsm,
  transform,
  modulePathIgnorePatterns,
  roots: [join(import.meta.dirname, 'e2e/src/cluster')],
  testMatch: ['**/*.cluster.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  testSequencer: join(import.meta.dirname, 'jest.cluster.order.js'),
  // Pods are scheduled, started and probed: a limit against hanging, not a measure of speed.
  testTimeout: 180_000,
};
