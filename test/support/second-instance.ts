import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readyLine, type System } from './system.js';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'main.js');

export interface SecondInstance {
  publicUrl: string;
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** One more gateway on the database, keys and vendor of a running system. */
export async function startSecondInstance(system: System): Promise<SecondInstance> {
  const { credentials, dataDir } = system;
  const own = mkdtempSync(join(tmpdir(), 'gatehouse-second-'));
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      GATEHOUSE_CONFIG: join(dataDir, 'gatehouse.yaml'),
      GATEHOUSE_DATA_DIR: own,
      DATABASE_URL: credentials.databaseUrl,
      DIDIT_BASE_URL: credentials.sandboxUrl ?? '',
      DIDIT_API_KEY: credentials.diditApiKey,
      DIDIT_WEBHOOK_SECRET: credentials.diditWebhookSecret,
      DIDIT_WORKFLOW_ID: credentials.diditWorkflowId,
      DIDIT_CA_FILE: credentials.caFile,
      GATEHOUSE_MASTER_KEY_FILE: join(dataDir, 'master.key'),
      GATEHOUSE_LOG_KEY_FILE: join(dataDir, 'log.key'),
      GATEHOUSE_PUBLIC_URL: credentials.publicUrl,
      GATEHOUSE_ADMIN_URL: credentials.adminUrl,
      GATEHOUSE_PUBLIC_PORT: '0',
      GATEHOUSE_ADMIN_PORT: '0',
      GATEHOUSE_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { publicUrl } = await readyLine(child);
  return {
    publicUrl,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        child.kill(signal);
        await gone;
      }
      rmSync(own, { recursive: true, force: true });
    },
  };
}
