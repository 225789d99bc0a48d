/** Source runs as it is written: swc strips the types, packages resolve to their sources through the `source` condition. */
const common = {
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/sidecar', '<rootDir>/operator', '<rootDir>/e2e', '<rootDir>/packages'],
  testEnvironment: '<rootDir>/jest.environment.cjs',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024', experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['/dist/'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
};

const INTEGRATION = '\\.integration\\.test\\.ts$';
// They need a cluster: `make e2e` runs them, with a configuration of their own.
const CLUSTER = '\\.cluster\\.test\\.ts$';
// They start a Kubernetes API server, which is built once on each machine: `make test-kubernetes` selects them.
const KUBERNETES = '\\.kubernetes\\.test\\.ts$';
// Minutes of a whole machine: `make test-scale` selects them.
const SCALE = '\\.scale\\.test\\.ts$';

export default {
  // Real servers on a machine that may be busy: a limit against hanging, not a measure of speed.
  testTimeout: 60_000,
  // Most of an integration test is waiting for its servers: a worker a core, where jest would leave one core free.
  maxWorkers: '100%',
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: [...common.testPathIgnorePatterns, INTEGRATION, CLUSTER, KUBERNETES, SCALE],
    },
    { ...common, displayName: 'integration', testMatch: ['**/*.integration.test.ts'] },
    { ...common, displayName: 'kubernetes', testMatch: ['**/*.kubernetes.test.ts'] },
    { ...common, displayName: 'scale', testMatch: ['**/*.scale.test.ts'] },
  ],
  collectCoverageFrom: ['{sidecar,operator,packages/*}/src/**/*.ts', '!**/*.test.ts', '!**/testing/**'],
};
