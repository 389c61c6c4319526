import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

export interface VerifyAnswer {
  ok: boolean;
  size: number;
  root: string;
  firstBad: { seq: number } | { from: number; to: number } | null;
  exit: number;
}

/** `gatehouse verify --json` on a data folder. */
export function verify(dataDir: string): VerifyAnswer {
  const run = spawnSync(process.execPath, [CLI, 'verify', '--json'], {
    env: { PATH: process.env['PATH'] ?? '', GATEHOUSE_DATA_DIR: dataDir },
    encoding: 'utf8',
  });
  return { ...(JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '{}') as VerifyAnswer), exit: run.status ?? -1 };
}
