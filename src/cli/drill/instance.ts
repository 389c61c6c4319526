import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type AttemptTold, TELL_ATTEMPTS } from '../../drills/index.js';

const MAIN = join(import.meta.dirname, '..', '..', 'main.js');
const SHIFTED_CLOCK = join(import.meta.dirname, 'shifted-clock.js');
const START_MS = 60_000;
const STOP_MS = 30_000;

/** One gateway in a process of its own. */
export class Instance {
  #child: ChildProcess | undefined;
  #shiftSeconds = 0;

  constructor(
    private readonly env: NodeJS.ProcessEnv,
    readonly publicPort: number,
    readonly adminPort: number,
    private readonly told: (attempt: AttemptTold) => void,
  ) {}

  get isUp(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @throws when it does not become ready */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--import', TELL_ATTEMPTS, '--import', SHIFTED_CLOCK, MAIN], {
      env: {
        ...this.env,
        GATEHOUSE_PUBLIC_PORT: String(this.publicPort),
        GATEHOUSE_ADMIN_PORT: String(this.adminPort),
      },
      // What it logs while it suffers is no news to who watches the drill.
      stdio: ['ignore', 'pipe', process.env['GATEHOUSE_DRILL_LOG'] === undefined ? 'ignore' : 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', ({ gatehouseAttempt: told }: { gatehouseAttempt?: AttemptTold }) => told && this.told(told));
    this.#shiftSeconds = 0;
    // Told to one that has just died.
    child.on('error', () => undefined);
    const lines = createInterface({ input: child.stdout ?? process.stdin });
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
    try {
      await new Promise<void>((resolve, reject) => {
        child.once('exit', (code) =>
          reject(new Error(`a gateway of the drill did not start (exit ${code ?? 'by signal'})`)),
        );
        lines.on('line', (line) => line.startsWith('{"event":"ready"') && resolve());
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Moves its wall clock, as setting that of its machine would; its monotonic one stays. */
  shiftClock(seconds: number): void {
    if (!this.isUp || seconds === this.#shiftSeconds) return;
    this.#shiftSeconds = seconds;
    this.#child?.send({ gatehouseClockShiftMs: seconds * 1_000 });
  }

  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS);
    await this.end('SIGTERM');
    clearTimeout(timer);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isUp) return;
    const gone = new Promise<void>((resolve) => this.#child?.once('exit', () => resolve()));
    this.#child?.kill(signal);
    await gone;
  }
}
