import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadConfig } from '../../platform/index.js';
import { verifyDataDir } from '../verify.js';
import { DemoClient, readCredentials } from './client.js';
import { StoryFault, tellStory } from './story.js';

interface Running {
  dataDir: string;
  stop(): Promise<void>;
}

const tell = (line: string): void => void process.stdout.write(`${line}\n`);

/** Starts a whole system of the demo's own on free ports, in a folder that goes when the story ends. */
async function startOwn(): Promise<Running> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-demo-'));
  // For root: the database then lies inside, and goes with the folder.
  chmodSync(dataDir, 0o711);
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'main.js')], {
    env: {
      PATH: process.env['PATH'] ?? '',
      GATEHOUSE_DATA_DIR: dataDir,
      GATEHOUSE_PUBLIC_PORT: '0',
      GATEHOUSE_ADMIN_PORT: '0',
      GATEHOUSE_SANDBOX_PORT: '0',
      GATEHOUSE_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new StoryFault('the system did not start')));
    createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('{"event":"ready"') && resolve());
  });
  return {
    dataDir,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** `npm run demo`: exits 0 when every step of the story came out. */
export async function demoVerb(options: { url?: string }): Promise<void> {
  const running: Running =
    options.url === undefined
      ? await startOwn()
      : { dataDir: loadConfig(process.env).dataDir, stop: () => Promise.resolve() };
  const credentials = readCredentials(running.dataDir);
  const client = new DemoClient(options.url === undefined ? credentials : { ...credentials, publicUrl: options.url });
  try {
    tell(
      `Gatehouse at ${client.credentials.publicUrl}, administration at ${credentials.adminUrl}, a Didit sandbox at ${credentials.sandboxUrl}\n`,
    );
    await tellStory(client, tell);
    tell('10. And the log, recomputed from its stored bytes:');
    const verdict = await verifyDataDir(running.dataDir);
    tell(`   ${verdict.summary}`);
    if (!verdict.ok) throw new StoryFault('the log does not verify');
    tell('\nThe story came out without a fault.');
  } catch (error) {
    tell(`\nThe story stopped: ${error instanceof StoryFault ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    await client.close();
    await running.stop();
  }
}
