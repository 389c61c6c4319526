import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..');
const CRUISER = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs');

/** A house in small that keeps the rule. */
const KEEPS: Record<string, string> = {
  'src/platform/index.ts': `export { inner } from './inner.js';`,
  'src/platform/inner.ts': `export const inner = 1;`,
  'src/audit/index.ts': `export { inner as record } from '../platform/index.js';\nexport interface Face { id: string }`,
  'src/vendors/index.ts': `import { record } from '../audit/index.js';\nimport { inner } from '../platform/index.js';\nexport const call = record + inner;\nexport interface Reply { id: string }`,
  'src/incidents/index.ts': `import { call } from '../vendors/index.js';\nexport const tickets = call;`,
  'src/incidents/index.spec.ts': `import { tool } from '../../test/support/tool.js';\nimport fc from 'fast-check';\nexport const spec = [tool, fc];`,
  'src/start/start.ts': `import { tickets } from '../incidents/index.js';\nexport const start = tickets;`,
  'src/main.ts': `import { start } from './start/start.js';\nexport const main = start;`,
  'test/support/tool.ts': `import { record } from '../../src/audit/index.js';\nexport const tool = record;`,
};

/** Files added to it, each of which breaks the rule in one way. */
const BREAKS: Record<string, string> = {
  'src/audit/past-the-face.ts': `import { inner } from '../platform/inner.js';\nexport const a = inner;`,
  'src/platform/upward.ts': `import { record } from '../audit/index.js';\nexport const a = record;`,
  'src/auth/upward-by-type.ts': `import type { Reply } from '../vendors/index.js';\nexport const a: Reply = { id: '' };`,
  'src/webhooks/asks-incidents.ts': `import { tickets } from '../incidents/index.js';\nexport const a = tickets;`,
  'src/sandbox/borrows.ts': `import { inner } from '../platform/index.js';\nexport const a = inner;`,
  'src/policy/one.ts': `import { two } from './two.js';\nexport const one = (): number => two();`,
  'src/policy/two.ts': `import { one } from './one.js';\nexport const two = (): number => one();`,
  'src/vendors/starts.ts': `import { main } from '../main.js';\nexport const a = main;`,
  'src/newcomer/index.ts': `import { inner } from '../platform/index.js';\nexport const a = inner;`,
  'src/orchestration/needs-a-test.ts': `import { tool } from '../../test/support/tool.js';\nexport const a = tool;`,
  'migrations/0001-needs-development.ts': `import fc from 'fast-check';\nexport const a = fc;`,
  'src/docs/unlisted.ts': `import Koa from 'koa';\nexport const a = Koa;`,
};

const answerSchema = z.object({
  summary: z.object({
    violations: z.array(z.object({ rule: z.object({ name: z.string() }), from: z.string() })),
  }),
});

describe('the import rule (.dependency-cruiser.cjs)', () => {
  let folder: string;
  let broken: Record<string, string[]>;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-imports-'));
    for (const [path, text] of Object.entries({ ...KEEPS, ...BREAKS })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${text}\n`);
    }
    for (const file of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, file), join(folder, file));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    broken = violations(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['a path past a face', 'src/audit/past-the-face.ts', ['audit-imports-downward', 'faces-only']],
    ['an import upward', 'src/platform/upward.ts', ['platform-imports-downward']],
    ['an import upward of a type alone', 'src/auth/upward-by-type.ts', ['auth-imports-downward']],
    ['an import of incidents', 'src/webhooks/asks-incidents.ts', ['webhooks-imports-downward']],
    ['an import of the gateway by the sandbox', 'src/sandbox/borrows.ts', ['sandbox-imports-downward']],
    ['a cycle inside a module', 'src/policy/one.ts', ['no-circular']],
    [
      'an import of the composition',
      'src/vendors/starts.ts',
      ['nobody-imports-the-composition', 'vendors-imports-downward'],
    ],
    ['a module that has no place', 'src/newcomer/index.ts', ['every-module-has-its-place']],
    ['a test in the product', 'src/orchestration/needs-a-test.ts', ['product-without-tests']],
    [
      'a development dependency in the product',
      'migrations/0001-needs-development.ts',
      ['product-without-development'],
    ],
    ['a package that package.json does not name', 'src/docs/unlisted.ts', ['product-without-development']],
  ])('catches %s', (_what, file, rules) => {
    expect(broken[file]).toEqual(rules);
  });

  it('lets pass what keeps to it', () => {
    expect(Object.keys(KEEPS).filter((file) => broken[file] !== undefined)).toEqual([]);
  });
});

/** The names of the broken rules by file, as `npm run lint:imports` finds them. */
function violations(cwd: string): Record<string, string[]> {
  const run = spawnSync(
    process.execPath,
    [CRUISER, '--config', join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json', 'src', 'test', 'migrations'],
    { cwd, encoding: 'utf8', maxBuffer: 32 * 1024 * 1024 },
  );
  const { summary } = answerSchema.parse(JSON.parse(run.stdout));
  const found: Record<string, string[]> = {};
  for (const { rule, from } of summary.violations) (found[from] ??= []).push(rule.name);
  return Object.fromEntries(Object.entries(found).map(([file, rules]) => [file, [...new Set(rules)].toSorted()]));
}
