/**
 * Who may import whom (design §3). Every rule has a probe in packages/devtools/src/rules.test.ts that plants a breach of
 * it. Each package's `dependencies` are the finer list: what is not declared there does not resolve.
 */
const PURE = '^packages/(api|metering|prices|providers|budget|snapshots)/src/';
// Not shipped as part of a pure package: its tests, and what makes its data at build time.
const PURE_BUT = '[.]test[.]ts$|^packages/prices/src/build/';
const PROCESS = '^(operator|sidecar)/src/';
// Tests, and the suites that tests of several packages run.
const TEST = '[.]test[.]ts$|/testing/|^packages/ledger/src/(contract|simulator)/';

const error = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

/** Only files under `home` may import what `target` matches. */
const onePlace = (name, comment, target, home, kinds = {}) =>
  error(name, comment, { pathNot: home }, { path: target, ...kinds });

module.exports = {
  forbidden: [
    error('no-cycles', 'Break it: move the shared type down.', {}, { circular: true }),
    error(
      'no-junk-drawer',
      'Name the duty.',
      {},
      {
        path: '/(utils?|helpers?|common|misc|shared|lib)([.]ts$|/)',
        pathNot: 'node_modules',
      },
    ),
    error(
      'declared-only',
      'Declare in package.json what you import.',
      {},
      {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'],
        // Declared once, in the root; the rule on tests keeps them out of the product.
        pathNot: 'node_modules/(@jest/globals|fast-check)/',
      },
    ),
    error('nothing-unresolved', 'The import names no file.', {}, { couldNotResolve: true }),

    error(
      'packages-know-no-process',
      'Packages never import a process; standalone and the command may take the operator, and devtools makes docs of what processes list.',
      { path: '^packages/', pathNot: '^packages/(standalone|cli|devtools)/' },
      { path: '^(operator|sidecar|e2e)/' },
    ),
    error(
      'standalone-spawns-the-proxy',
      'The proxy is a child process of standalone, not a part of it.',
      { path: '^packages/(standalone|cli)/' },
      { path: '^(sidecar|e2e)/' },
    ),
    error(
      'command-asks-clusters-in-one-place',
      'What asks a Kubernetes cluster is a bundle of its own, so that every other command starts without it.',
      { path: '^packages/cli/', pathNot: '^packages/cli/src/cluster/' },
      { path: '^operator/' },
    ),
    error(
      'processes-are-strangers',
      'operator and sidecar meet only in packages/api and the ledger.',
      { path: '^(operator|sidecar)/' },
      { path: '^(operator|sidecar)/', pathNot: '^$1/' },
    ),
    error(
      'nobody-imports-main',
      'main.ts is the top: it reads the environment and picks the adapters.',
      { pathNot: '/main(-operator|-injector)?([.]integration)?[.]test[.]ts$' },
      { path: '/src/main(-operator|-injector)?[.]ts$' },
    ),
    error(
      'adapters-only-from-main',
      'Where leases come from and where money is kept is picked in main.ts.',
      { path: PROCESS, pathNot: `/main(-operator|-injector)?[.]ts$|${TEST}` },
      { path: '^packages/(ledger/src/(redis|http|memory|spool)|store)/' },
    ),

    error(
      'pure-does-no-io',
      'A pure package takes no Node built-in: it gets values and gives values.',
      { path: PURE, pathNot: PURE_BUT },
      { dependencyTypes: ['core'] },
    ),
    error(
      'pure-takes-no-client',
      'A pure package takes no client library and no logger.',
      { path: PURE, pathNot: PURE_BUT },
      {
        path: 'node_modules/(ioredis|pg|express|undici|http-proxy-middleware|pino|prom-client|js-tiktoken|@kubernetes)/',
      },
    ),
    error(
      'pure-imports-pure',
      'A pure package imports only pure packages.',
      { path: PURE, pathNot: PURE_BUT },
      { path: '^(packages|operator|sidecar|e2e)/', pathNot: PURE },
    ),
    error(
      'proxy-stays-light',
      'The proxy starts without a database, Redis, Kubernetes, Express or zod.',
      { path: '^sidecar/src/', pathNot: TEST },
      {
        path: 'node_modules/(pg|ioredis|@kubernetes|express|zod)/|^packages/ledger/src/redis/|^packages/(store|server|standalone|cli)/|^packages/api/src/schema|^packages/runtime/src/settings[.]ts$',
        dependencyTypesNot: ['type-only'],
      },
    ),

    onePlace('pg-in-store', 'store alone speaks to the database.', 'node_modules/(@types/)?pg/', '^packages/store/'),
    onePlace(
      'redis-in-ledger',
      'Only ledger/src/redis speaks to Redis.',
      'node_modules/ioredis/',
      '^packages/ledger/src/redis/',
    ),
    onePlace(
      'tiktoken-in-tokenizer',
      'Ask the tokenizer; it counts in a worker.',
      'node_modules/js-tiktoken/',
      '^packages/tokenizer/',
    ),
    onePlace(
      'express-in-server',
      'Express serves the APIs of the server, never the metered path.',
      'node_modules/(@types/)?express/',
      '^packages/server/',
    ),
    error(
      'proxy-dials-in-upstream',
      'Only sidecar/src/upstream opens connections: there every address is checked.',
      { path: '^sidecar/src/', pathNot: `^sidecar/src/upstream/|${TEST}` },
      { path: '^(node:)?(net|tls)$', dependencyTypesNot: ['type-only'] },
    ),
    onePlace(
      'passthrough-in-one-file',
      'http-proxy-middleware is loaded on first use, there.',
      'node_modules/http-proxy-middleware/',
      '^sidecar/src/upstream/passthrough([.]integration)?([.]test)?[.]ts$',
    ),
    onePlace(
      'kubernetes-in-one-place',
      'Only operator/src/kube speaks to the API server.',
      'node_modules/@kubernetes/client-node/',
      '^(operator/src/kube|e2e)/',
      { dependencyTypesNot: ['type-only'] },
    ),

    error(
      'tests-and-testkit-stay-out',
      'Product code never imports tests or the testkit; the mock provider command is the exception.',
      {
        path: '/src/',
        pathNot: `${TEST}|^packages/(testkit|bench)/|^e2e/|^packages/cli/src/commands/mock-provider[.]ts$`,
      },
      { path: `${TEST}|^packages/testkit/|node_modules/(@jest|fast-check)/` },
    ),
    error(
      'testkit-judges-alone',
      'What the testkit bills must not agree with a wrong reading because it shares it.',
      { path: '^packages/testkit/' },
      { path: '^packages/(providers|metering|prices|budget|ledger|store|server)/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(operator|sidecar|e2e|packages/[^/]+)/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'types', 'import', 'node', 'default'],
    },
  },
};
