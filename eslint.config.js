/** Lint: typescript-eslint's strict rules, and our own bans, each saying what to do instead. Probes: packages/devtools/src/lint.test.ts. */
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const PURE = ['api', 'metering', 'prices', 'providers', 'budget', 'snapshots'].map(
  (name) => `packages/${name}/src/**/*.ts`,
);
const TESTS = [
  '**/*.test.ts',
  '**/testing/**',
  'e2e/**',
  'packages/testkit/**',
  'packages/ledger/src/{contract,simulator}/**',
];
const MAINS = [
  '**/src/main.ts',
  'operator/src/main-*.ts',
  'packages/standalone/src/pglite-child.ts',
  'packages/tokenizer/src/worker.ts',
];
// Programs of the workshop: they run by hand or by make, on the clock and the disk of who runs them.
const WORKSHOP = ['packages/devtools/**', 'packages/bench/**', 'packages/prices/src/build/**'];
// The adapters of the clock and of chance; everything else is handed what they make.
const CLOCKS = ['packages/runtime/src/timers.ts'];

const AMBIENT_PROPERTIES = [
  {
    object: 'process',
    property: 'env',
    message: 'Only main.ts reads the environment: take the setting as an argument.',
  },
  {
    object: 'Date',
    property: 'now',
    message: 'Take `clock: () => number` as an argument; main.ts hands in the real one.',
  },
  { object: 'Math', property: 'random', message: 'Take chance as an argument, so that a test can repeat it.' },
];

const NEW_DATE = {
  selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
  message: 'Take `clock: () => number` as an argument; main.ts hands in the real one.',
};
const DEFAULT_EXPORT = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name: a name is the same wherever it is used.',
};
// A text in capitals is a constant of the module (a list of columns); anything else may be a value.
const CONSTANT = 'Identifier[name=/^[A-Z][A-Z0-9_]*$/], MemberExpression[object.name=/^[A-Z][A-Z0-9_]*$/]';
const NOT_CONSTANT = `:not(TemplateElement, ${CONSTANT})`;
const SQL_START = 'value.raw=/^\\s*(select|insert|update|delete|with|alter|create|drop|truncate|grant)\\s/i';
const SQL_BANS = [
  `CallExpression[callee.property.name="query"] > TemplateLiteral > ${NOT_CONSTANT}`,
  'CallExpression[callee.property.name="query"] > BinaryExpression[operator="+"]',
  `CallExpression[callee.property.name="query"] > ObjectExpression > Property[key.name="text"] > TemplateLiteral > ${NOT_CONSTANT}`,
  'CallExpression[callee.property.name="query"] > ObjectExpression > Property[key.name="text"] > BinaryExpression[operator="+"]',
  `:not(CallExpression[callee.property.name="query"]) > TemplateLiteral:has(> TemplateElement:first-child[${SQL_START}]) > ${NOT_CONSTANT}`,
].map((selector) => ({
  selector,
  message: 'SQL takes its values as parameters ($1): a value in the text is an injection.',
}));

const IMPURE = 'A pure package does no I/O and waits for nothing: take the value as an argument.';
const IMPURE_GLOBALS = [
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'process',
  'console',
  'performance',
  'crypto',
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'coverage/**', '.venv/**', 'crds/**', '**/*.d.ts'] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: { globals: { process: 'readonly', URL: 'readonly', Buffer: 'readonly', console: 'readonly' } },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // TypeScript says these better.
      'no-undef': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Its flow analysis does not see what a callback has changed meanwhile, and here callbacks change flags.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Spreading a text takes it apart by code points, which is what we want where we do it.
      '@typescript-eslint/no-misused-spread': 'off',
      // An arrow that only passes a void call on reads better in one line.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // `async` without `await` is how an adapter fulfils a port that promises.
      '@typescript-eslint/require-await': 'off',
      // A port's method may be a function that needs no `this`; ours never do.
      '@typescript-eslint/unbound-method': 'off',
      // Text at the door may hold control characters on purpose: they are what the door looks for.
      'no-control-regex': 'off',
      // `== null` asks for null or undefined in one.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': ['error'],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: [...MAINS, ...TESTS, ...WORKSHOP, ...CLOCKS],
    rules: {
      'no-restricted-properties': ['error', ...AMBIENT_PROPERTIES],
      'no-restricted-syntax': ['error', NEW_DATE, DEFAULT_EXPORT],
    },
  },
  {
    files: [...MAINS, ...TESTS, ...WORKSHOP, ...CLOCKS],
    rules: { 'no-restricted-syntax': ['error', DEFAULT_EXPORT] },
  },
  {
    files: ['packages/store/src/**/*.ts'],
    ignores: TESTS,
    rules: {
      'no-restricted-syntax': ['error', NEW_DATE, DEFAULT_EXPORT, ...SQL_BANS],
    },
  },
  {
    files: PURE,
    ignores: ['**/*.test.ts', 'packages/prices/src/build/**'],
    rules: {
      'no-restricted-globals': ['error', ...IMPURE_GLOBALS.map((name) => ({ name, message: IMPURE }))],
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: IMPURE }] }],
    },
  },
  {
    files: TESTS,
    rules: {
      // Tests read answers whose shape the assertion itself checks.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      // An answer that may come at once or later is awaited all the same.
      '@typescript-eslint/await-thenable': 'off',
    },
  },
  {
    files: [...WORKSHOP, 'examples/**', 'e2e/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { module: 'writable', require: 'readonly' } },
  },
  {
    files: ['examples/**/*.mjs', 'charts/**/*.mjs'],
    languageOptions: {
      globals: { fetch: 'readonly', AbortSignal: 'readonly', TextDecoder: 'readonly', setTimeout: 'readonly' },
    },
  },
);
