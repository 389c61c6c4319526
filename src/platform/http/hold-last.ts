import { Transform, type TransformCallback } from 'node:stream';

/** Lets a stream through but for its last piece, which waits until `release` has resolved: no whole answer before its record. */
export class HoldLast extends Transform {
  #held: Buffer | undefined;
  bytes = 0;

  constructor(private readonly release: (bytes: number) => Promise<void>) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const before = this.#held;
    this.#held = chunk;
    this.bytes += chunk.length;
    done(null, before);
  }

  override _flush(done: TransformCallback): void {
    void this.finish(done);
  }

  private async finish(done: TransformCallback): Promise<void> {
    try {
      await this.release(this.bytes);
    } catch (error) {
      done(error instanceof Error ? error : new Error('the answer could not be recorded'));
      return;
    }
    done(null, this.#held);
  }
}
