import { defineConfig } from 'vitest/config';

/** Chaos and load at their full figures; what they measured is written to measured/. */
export default defineConfig({
  test: {
    include: [
      'test/long/**/*.spec.ts',
      'src/audit/verify/tamper.prop.spec.ts',
      'src/vendors/resilience/cost.spec.ts',
      'src/orchestration/workflows/engine.prop.spec.ts',
    ],
    env: { GATEHOUSE_TAMPER_CASES: '100', GATEHOUSE_WORKFLOW_CASES: '80' },
    setupFiles: ['reflect-metadata'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
    fileParallelism: false,
    pool: 'forks',
  },
});
