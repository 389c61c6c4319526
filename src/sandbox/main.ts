import { readFileSync } from 'node:fs';
import { startSandbox } from './server.js';
import { readSettings } from './settings.js';
import { removeState, writeState } from './state-file.js';

/** The sandbox as a process of its own: `node main.js SETTINGS.json`, or the file's path in GATEHOUSE_SANDBOX_SETTINGS. */
const main = async (): Promise<void> => {
  // Whoever started it may be gone, and with it the other end of these pipes.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const file = process.argv[2] ?? process.env['GATEHOUSE_SANDBOX_SETTINGS'];
  if (file === undefined) throw new Error('name the settings file, or set GATEHOUSE_SANDBOX_SETTINGS');
  const settings = readSettings(JSON.parse(readFileSync(file, 'utf8')));
  const sandbox = await startSandbox(settings);
  const state = { pid: process.pid, port: sandbox.port, url: sandbox.url, startedAt: new Date().toISOString() };
  if (settings.stateFile !== undefined) await writeState(settings.stateFile, state);

  const stop = async (): Promise<void> => {
    if (settings.stateFile !== undefined) await removeState(settings.stateFile, process.pid);
    await sandbox.close();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
  process.stdout.write(`${JSON.stringify({ event: 'sandbox-ready', ...state })}\n`);
};

main().catch((error: unknown) => {
  process.stderr.write(`sandbox: ${error instanceof Error ? error.message : 'could not start'}\n`);
  process.exitCode = 1;
});
