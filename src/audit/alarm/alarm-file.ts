import { mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../../platform/index.js';
import type { AlarmEvent } from './alarms.js';

/** Past this size the file goes aside, in place of the one before it. */
const MOST_BYTES = 1024 * 1024;

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
      .then(() => this.append(`${JSON.stringify(event)}\n`))
      .catch((error: unknown) => this.log.error('an alarm cannot be written to its file', { error }));
    return this.#writing;
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
