import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../../platform/index.js';
import { type AlarmEvent, ALARMS } from './alarms.js';

/** Past this size the file goes aside, in place of the one before it. */
const MOST_BYTES = 1024 * 1024;

interface Line extends AlarmEvent {
  /** Of the process that wrote it. */
  pid: number;
}

/** `alarms.jsonl` in the data folder: one line a change of an alarm, flushed to the disk. */
export class AlarmFile {
  #writing: Promise<void> = Promise.resolve();

  constructor(
    readonly path: string,
    private readonly log: Pick<Log, 'error'>,
    private readonly mostBytes = MOST_BYTES,
  ) {}

  /** One after the other; resolves when the line is on the disk, or could not be. */
  write(event: AlarmEvent): Promise<void> {
    this.#writing = this.#writing
      .then(() => this.append(`${JSON.stringify({ ...event, pid: process.pid } satisfies Line)}\n`))
      .catch((error: unknown) => this.log.error('an alarm cannot be written to its file', { error }));
    return this.#writing;
  }

  /** What instances raised that are no more, and nobody cleared. */
  async left(isAlive: (pid: number) => boolean): Promise<AlarmEvent[]> {
    const raised = new Map<string, Line>();
    for (const path of [`${this.path}.old`, this.path]) {
      const text = await readFile(path, 'utf8').catch(() => '');
      for (const line of text.split('\n').map(parse)) {
        if (line?.state === 'raised') raised.set(`${line.instance} ${line.alarm}`, line);
        else if (line !== undefined) raised.delete(`${line.instance} ${line.alarm}`);
      }
    }
    return [...raised.values()]
      .filter(({ pid }) => !isAlive(pid))
      .map(({ alarm, state, at, instance, origin }) => ({ alarm, state, at, instance, origin }));
  }

  private async append(line: string): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const size = await stat(this.path).then(
      (found) => found.size,
      () => 0,
    );
    if (size + line.length > this.mostBytes) await rename(this.path, `${this.path}.old`);
    const handle = await open(this.path, 'a', 0o600);
    try {
      await handle.appendFile(line);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }
}

/** Lenient: a crash can leave half a line, and the disk is one that others can write. */
function parse(text: string): Line | undefined {
  try {
    const { alarm, state, at, instance, origin, pid } = JSON.parse(text) as Line;
    if (!Object.hasOwn(ALARMS, alarm) || Number.isNaN(Date.parse(at)) || !Number.isSafeInteger(pid)) return undefined;
    return { alarm, state, at, instance, origin, pid };
  } catch {
    return undefined;
  }
}
