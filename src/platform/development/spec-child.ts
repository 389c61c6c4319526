import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

// Lets Node run the sources as they are: their imports name the compiled files.
const RESOLVE_SOURCES = `import { registerHooks } from 'node:module';
registerHooks({ resolve(specifier, context, next) {
  try { return next(specifier, context); } catch (error) {
    if (!specifier.startsWith('.') || !specifier.endsWith('.js')) throw error;
    return next(specifier.slice(0, -3) + '.ts', context);
  }
} });`;

/** A process of its own, for specs of what happens when one is killed or runs as another user. */
export interface SpecChild {
  readonly pid: number;
  /** The next line it prints. Rejects with what it complained of when it ends before. */
  line(): Promise<string>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Its exit code. */
  ended(): Promise<number | null>;
}

/** @param code an ES module; `source('embedded/postgres.ts')` in it gives the address of a source of the platform to import */
export function startSpecChild(code: string, user?: { uid: number; gid: number }): SpecChild {
  const platform = new URL('../', import.meta.url).href;
  const module = `const source = (path) => new URL(path, ${JSON.stringify(platform)}).href;\n${code}`;
  const child = spawn(
    process.execPath,
    [
      '--experimental-transform-types',
      '--disable-warning=ExperimentalWarning',
      '--import',
      `data:text/javascript,${encodeURIComponent(RESOLVE_SOURCES)}`,
      '--input-type=module',
      '--eval',
      module,
    ],
    { ...user, cwd: '/', env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString('utf8')));
  const ended = exitOf(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid ?? 0,
    async line() {
      const next = await lines.next();
      if (next.done !== true) return next.value;
      await ended;
      throw new Error(`the process ended: ${complaint}`);
    },
    async kill(signal) {
      child.kill(signal);
      await ended;
    },
    ended: async () => await ended,
  };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  await once(child, 'exit');
  return child.exitCode;
}
