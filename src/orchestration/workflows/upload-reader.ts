import { Readable } from 'node:stream';
import { ProblemError } from '../../platform/index.js';

/** How many times what is still free one client may hold: the last bytes are for who comes next, however slowly its uploads come in. */
const TIMES_THE_REST = 3;

/** Reads uploads into memory, no more bytes at once than are set: one more then waits with its caller. */
export class UploadReader {
  #held = 0;
  readonly #heldBy = new Map<string, number>();

  constructor(private readonly mostHeld: number) {}

  /**
   * What is read counts until `done` is told.
   * @param client whose upload it is
   * @throws ProblemError `body-too-large`, `overloaded`, `malformed-request`
   */
  async read(body: unknown, maxBytes: number, client: string): Promise<Buffer> {
    if (!(body instanceof Readable)) throw new ProblemError('unsupported-media-type', { rule: 'upload.type' });
    const parts: Buffer[] = [];
    let bytes = 0;
    try {
      // The caller's connection must survive, or the refusal of an upload could not be given.
      for await (const part of body.iterator({ destroyOnReturn: false })) {
        const piece = part as Buffer;
        if (bytes + piece.length > maxBytes) throw new ProblemError('body-too-large', { rule: 'upload.size' });
        if (!this.hasRoom(piece.length, client))
          throw new ProblemError('overloaded', { headers: { 'retry-after': '1' }, rule: 'upload.memory' });
        bytes += piece.length;
        this.count(piece.length, client);
        parts.push(piece);
      }
      return Buffer.concat(parts, bytes);
    } catch (error) {
      this.done(bytes, client);
      body.resume();
      if (error instanceof ProblemError) throw error;
      throw new ProblemError('malformed-request', { detail: 'The body ended too early.', rule: 'upload.ended' });
    }
  }

  done(bytes: number, client: string): void {
    this.count(-bytes, client);
  }

  private hasRoom(more: number, client: string): boolean {
    const own = (this.#heldBy.get(client) ?? 0) + more;
    return own <= TIMES_THE_REST * (this.mostHeld - this.#held - more);
  }

  private count(bytes: number, client: string): void {
    this.#held += bytes;
    const own = (this.#heldBy.get(client) ?? 0) + bytes;
    if (own > 0) this.#heldBy.set(client, own);
    else this.#heldBy.delete(client);
  }
}
