import { AlreadyBootstrapped } from '../auth/index.js';
import { ConfigError, loadConfig, Log } from '../platform/index.js';
import { openHouse } from './house.js';
import { firstCall, sayReady } from './ready-line.js';

/** Starts the gateway and stays until a signal ends it in order; a start that cannot work says why in one message and exits non-zero. */
export async function start(env: NodeJS.ProcessEnv): Promise<void> {
  try {
    const config = loadConfig(env);
    const log = new Log(config.telemetry.logLevel);
    const house = await openHouse(config, log);
    let stopping: Promise<void> | undefined;
    const stop = (code: number): void => {
      stopping ??= house.close().then(
        () => process.exit(code),
        (error: unknown) => {
          log.error('the stop did not end in order', { error });
          process.exit(1);
        },
      );
    };
    process.on('SIGTERM', () => stop(0));
    process.on('SIGINT', () => stop(0));
    // A defect must not end the process and what it serves; it is told, and the call it broke got its 500.
    process.on('unhandledRejection', (error) => log.error('a promise was left unhandled', { error }));
    process.on('uncaughtException', (error) => log.error('an exception was left uncaught', { error }));
    sayReady(
      { event: 'ready', pid: process.pid, ...house.origins, sandboxUrl: house.sandboxUrl ?? null },
      house.credentialsFile === undefined
        ? undefined
        : firstCall(house.credentialsFile, house.sandboxUrl !== undefined),
    );
  } catch (error) {
    process.stderr.write(`${startFailure(error)}\n`);
    process.exit(1);
  }
}

/** The one message of a failed start. Only our own errors and the system's codes are quoted: others could hold a secret. */
export function startFailure(error: unknown): string {
  if (error instanceof ConfigError || error instanceof AlreadyBootstrapped)
    return `gatehouse cannot start: ${error.message}`;
  const { code, address, port, syscall } = (error ?? {}) as {
    code?: string;
    address?: string;
    port?: number;
    syscall?: string;
  };
  if (syscall === 'listen')
    return `gatehouse cannot start: listeners: port ${port} on ${address} cannot be used (${code})`;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === '28P01' || code === '3D000' || code === '28000') {
    return `gatehouse cannot start: DATABASE_URL: the database cannot be reached with it (${code})`;
  }
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: '' };
  const frames = (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return `gatehouse cannot start: ${name}${code === undefined ? '' : ` ${code}`}\n${frames.join('\n')}`;
}
