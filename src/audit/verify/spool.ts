import { appendFileSync, closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CHUNK = 64 * 1024;

/** Values set aside in a file of its own, in order, to be looked at again when everything was read. */
export class Spool {
  readonly #dir = mkdtempSync(join(tmpdir(), 'gatehouse-verify-'));
  readonly #file = openSync(join(this.#dir, 'spool'), 'wx+', 0o600);
  #waiting = '';
  #size = 0;

  add(value: object): void {
    this.#waiting += `${JSON.stringify(value)}\n`;
    if (this.#waiting.length >= CHUNK) this.flush();
  }

  *values(): Generator {
    this.flush();
    const chunk = Buffer.alloc(CHUNK);
    let rest = '';
    for (let at = 0; at < this.#size;) {
      const read = readSync(this.#file, chunk, 0, CHUNK, at);
      at += read;
      // Nothing but ASCII is in it but for the dash of a note: a letter may be cut in two.
      const lines = (rest + chunk.toString('latin1', 0, read)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) as unknown;
    }
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  private flush(): void {
    appendFileSync(this.#file, this.#waiting);
    this.#size += Buffer.byteLength(this.#waiting);
    this.#waiting = '';
  }
}
