import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Shipment, Sink } from './sink.js';

export interface FileSinkOptions {
  name: string;
  path: string;
  /** Size in bytes at which the file is set aside under a number and a new one begun. */
  rotateAt: number;
  /** Files set aside that are kept; the oldest go. Undefined: nothing is ever deleted. */
  keep?: number | undefined;
}

const DIGITS = 6;
const LINE_END = 0x0a;

/** Appends lines to a file for a collector that reads files, or as an evidence of its own. A batch is on the disk when it is acknowledged. */
export class FileSink implements Sink {
  readonly name: string;
  #last: Promise<void> = Promise.resolve();

  constructor(private readonly options: FileSinkOptions) {
    this.name = options.name;
  }

  /** Records and operational lines come from two sides: one shipment at a time, so that no line is torn by another. */
  send(shipment: Shipment, signal: AbortSignal): Promise<void> {
    const sent = this.#last.then(() => this.write(shipment, signal));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  private async write({ lines }: Shipment, signal: AbortSignal): Promise<void> {
    const { path, rotateAt } = this.options;
    signal.throwIfAborted();
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Opened anew each time: whoever sets files aside from outside is followed.
    const { size, fresh } = await this.append(lines);
    if (size >= rotateAt) await this.setAside();
    else if (fresh) await syncFolder(dirname(path));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private async append(lines: Shipment['lines']): Promise<{ size: number; fresh: boolean }> {
    const handle = await open(this.options.path, 'a+', 0o600);
    try {
      const { size } = await handle.stat();
      // A crash can leave half a line: what follows must not be glued to it.
      const torn = size > 0 && !(await endsALine(handle, size));
      const text = `${torn ? '\n' : ''}${lines.map((line) => `${line.text}\n`).join('')}`;
      await handle.appendFile(text);
      await handle.datasync();
      return { size: (await handle.stat()).size, fresh: size === 0 };
    } finally {
      await handle.close();
    }
  }

  private async setAside(): Promise<void> {
    const { path, keep } = this.options;
    const numbers = await this.numbers();
    await rename(path, this.numbered((numbers.at(-1) ?? 0) + 1));
    if (keep !== undefined) {
      const old = numbers.slice(0, Math.max(0, numbers.length + 1 - keep));
      for (const number of old) await unlink(this.numbered(number));
    }
    await syncFolder(dirname(path));
  }

  /** Of the files set aside, the oldest first. */
  private async numbers(): Promise<number[]> {
    const prefix = `${basename(this.options.path)}.`;
    return (await readdir(dirname(this.options.path)))
      .filter((name) => name.startsWith(prefix) && /^\d{6,}$/.test(name.slice(prefix.length)))
      .map((name) => Number(name.slice(prefix.length)))
      .sort((a, b) => a - b);
  }

  private numbered(number: number): string {
    const { path } = this.options;
    return join(dirname(path), `${basename(path)}.${String(number).padStart(DIGITS, '0')}`);
  }
}

async function endsALine(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === LINE_END;
}

/** A new name in a folder is as durable as the folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync();
  await folder.close();
}
