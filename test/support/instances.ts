import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { withClient } from './audit.js';

const APPENDER = join(import.meta.dirname, '..', '..', 'dist', 'test', 'support', 'appender.js');

/** Seeded, so that a run that fails can be run again (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The seed of a run: a new one each time unless GATEHOUSE_SEED is set; printed, for whoever looks into a failure. */
export function seedOf(what: string): number {
  const seed = Number(process.env['GATEHOUSE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`${what}: GATEHOUSE_SEED=${seed}\n`);
  return seed;
}

/** An appending instance of the log in a process of its own. */
export class Instance {
  /** Records that it said were durable, in that order. */
  readonly acknowledged: string[] = [];
  /** Records of which it said that they may not be. */
  readonly refused: string[] = [];
  /** The longest that a record took to be durable since `resetSlowest`, milliseconds. */
  slowestMs = 0;
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;
  readonly #ended: Promise<unknown>;

  constructor(url: string, name: string, writers = 4) {
    this.#child = spawn(process.execPath, [APPENDER, url, name, String(writers)], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: this.#child.stdout ?? process.stdin });
    // After `exit` what was printed before a kill may still be on its way.
    this.#ended = Promise.all([once(this.#child, 'exit'), once(lines, 'close')]);
    this.#ready = new Promise((resolve, reject) => {
      lines.on('line', (line) => {
        if (line === 'ready') resolve();
        else this.take(line);
      });
      this.#child.once('exit', () => reject(new Error('the instance ended before it was ready')));
    });
    this.#ready.catch(() => undefined);
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  resetSlowest(): void {
    this.slowestMs = 0;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name);
  }

  /** Ends it, with all it said before taken in. */
  async end(name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#child.kill(name);
    await this.#ended;
  }

  private take(line: string): void {
    const [first = '', second = ''] = line.split(' ');
    if (first === 'refused') this.refused.push(second);
    // The last line of a killed process may be cut.
    else if (second !== '') {
      this.acknowledged.push(first);
      this.slowestMs = Math.max(this.slowestMs, Number(second));
    }
  }
}

export interface Account {
  /** Records in the log. */
  size: number;
  /** Acknowledged, and neither in the log nor in the intake. */
  lost: string[];
  /** Ids that stand more than once. */
  doubled: string[];
}

/** Holds what the log has against what was acknowledged; its numbers must be 0, 1, 2, … */
export async function account(url: string, acknowledged: readonly string[]): Promise<Account> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ id: string; seq: string | null }>(
      'SELECT id, seq FROM audit.log UNION ALL SELECT id, NULL FROM audit.intake ORDER BY seq',
    );
    const numbered = rows.filter(({ seq }) => seq !== null);
    for (const [at, { seq }] of numbered.entries())
      if (Number(seq) !== at) throw new Error(`the log has a gap before number ${seq}`);
    const seen = new Set<string>();
    const doubled = rows.filter(({ id }) => seen.size === seen.add(id).size).map(({ id }) => id);
    return { size: numbered.length, lost: acknowledged.filter((id) => !seen.has(id)), doubled };
  });
}
