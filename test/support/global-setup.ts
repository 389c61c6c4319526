import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type DevCredentials, startSystem } from './system.js';

declare module 'vitest' {
  interface ProvidedContext {
    shared: { dataDir: string; credentials: DevCredentials };
  }
}

/** Builds once and starts the one system that most end-to-end suites share. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const built = spawnSync(process.execPath, [join(import.meta.dirname, '..', '..', 'scripts', 'build.mjs')], {
    stdio: 'inherit',
  });
  if (built.status !== 0) throw new Error('the build failed');
  const system = await startSystem();
  project.provide('shared', { dataDir: system.dataDir, credentials: system.credentials });
  return () => system.stop();
}
