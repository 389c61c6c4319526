import { spawn, spawnSync } from 'node:child_process';
import { freePort } from './own-gateway.js';

export interface RunningValkey {
  port: number;
  stop(): Promise<void>;
}

/** What a machine may call it. */
export const PROGRAMS = ['valkey-server', 'redis-server'];

/** Undefined where none is installed. */
export function valkeyProgram(): string | undefined {
  return PROGRAMS.find((name) => spawnSync(name, ['--version']).status === 0);
}

/** @throws where none is installed, or it does not start */
export async function startValkey(dir: string): Promise<RunningValkey> {
  const program = valkeyProgram();
  if (program === undefined) throw new Error(`neither of ${PROGRAMS.join(' and ')} is installed`);
  const port = await freePort();
  const child = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`${program} did not start`)));
    child.stdout.on('data', (chunk: Buffer) => chunk.includes('Ready to accept connections') && resolve());
  });
  return {
    port,
    stop: async () => {
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGTERM');
      await gone;
    },
  };
}
