import { Readable } from 'node:stream';
import { ProblemError } from '../../platform/index.js';

/** Reads uploads into memory, no more bytes at once than are set: one more then waits with its caller. */
export class UploadReader {
  #held = 0;

  constructor(private readonly mostHeld: number) {}

  /** What is read counts until `done` is told. @throws ProblemError `body-too-large`, `overloaded`, `malformed-request` */
  async read(body: unknown, maxBytes: number): Promise<Buffer> {
    if (!(body instanceof Readable)) throw new ProblemError('unsupported-media-type', { rule: 'upload.type' });
    const parts: Buffer[] = [];
    let bytes = 0;
    try {
      // The caller's connection must survive, or the refusal of an upload could not be given.
      for await (const part of body.iterator({ destroyOnReturn: false })) {
        const piece = part as Buffer;
        bytes += piece.length;
        this.#held += piece.length;
        if (bytes > maxBytes) throw new ProblemError('body-too-large', { rule: 'upload.size' });
        if (this.#held > this.mostHeld)
          throw new ProblemError('overloaded', { headers: { 'retry-after': '1' }, rule: 'upload.memory' });
        parts.push(piece);
      }
      return Buffer.concat(parts, bytes);
    } catch (error) {
      this.#held -= bytes;
      body.resume();
      if (error instanceof ProblemError) throw error;
      throw new ProblemError('malformed-request', { detail: 'The body ended too early.', rule: 'upload.ended' });
    }
  }

  done(bytes: number): void {
    this.#held -= bytes;
  }
}
