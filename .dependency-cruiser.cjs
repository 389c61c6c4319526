/** Who may import whom: downward only, through faces, without cycles. */
const MODULES = [
  'platform',
  'audit',
  'auth',
  'policy',
  'vendors',
  'orchestration',
  'webhooks',
  'incidents',
  'drills',
  'health',
  'docs',
  'sandbox',
];

/** What is installed in production, and what only tests it. */
const PRODUCT = '^(src|migrations)/';
const TESTS = '^test/|^src/.*/testing/|/spec-[^/]+\\.ts$|\\.spec\\.ts$';

const MAY = {
  platform: [],
  audit: ['platform'],
  auth: ['platform', 'audit'],
  policy: ['platform', 'audit'],
  vendors: ['platform', 'audit', 'auth', 'policy'],
  orchestration: ['platform', 'audit', 'auth', 'policy', 'vendors'],
  webhooks: ['platform', 'audit', 'auth', 'policy', 'vendors', 'orchestration'],
  incidents: ['platform', 'audit', 'auth', 'policy', 'vendors', 'orchestration', 'webhooks'],
  drills: ['platform', 'audit', 'auth', 'policy', 'vendors', 'orchestration', 'webhooks'],
  health: ['platform', 'audit', 'vendors'],
  docs: ['platform'],
  sandbox: [],
};

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle means that a third module is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'faces-only',
      comment: 'A module is entered by its index.ts and never by a path into its rooms.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/([^/]+)/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    ...MODULES.map((name) => ({
      name: `${name}-imports-downward`,
      comment: `${name} may use: ${MAY[name].join(', ') || 'nothing of the house'}.`,
      severity: 'error',
      from: { path: `^src/${name}/` },
      to: { path: '^src/', pathNot: [`^src/${name}/`, ...MAY[name].map((other) => `^src/${other}/index\\.ts$`)] },
    })),
    {
      name: 'nobody-imports-the-composition',
      comment: 'app.module, corridor, start and the command line sit on top.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main|app\\.module|corridor)\\.ts$|^src/(start|cli)/' },
      to: { path: '^src/(main|app\\.module|corridor)\\.ts$|^src/(start|cli)/' },
    },
    {
      name: 'every-module-has-its-place',
      comment: 'A new folder of src is listed above with what it may use.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${[...MODULES, 'start', 'cli'].join('|')})/` },
      to: { path: '^src/' },
    },
    {
      name: 'product-without-tests',
      comment: 'The product needs nothing of its tests and of what serves them.',
      severity: 'error',
      from: { path: PRODUCT, pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'product-without-development',
      comment:
        'What runs is installed without development dependencies, and nothing is used that package.json does not name.',
      severity: 'error',
      from: { path: PRODUCT, pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-optional', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules)' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
