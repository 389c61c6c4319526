import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkFault } from '../faults.js';

/** Bytes that may wait in one direction of a connection; beyond them the sender is held back, as a full window would. */
const MOST_WAITING = 1024 * 1024;
/** Bandwidth is shared out in pieces of a twentieth of a second. */
const PACE_MS = 50;

type Direction = 'up' | 'down';

interface Waiting {
  bytes: Buffer;
  at: number;
}

/**
 * One direction of a connection through the proxy. Each piece meets the faults that are at work at that moment, so that a fault strikes
 * connections that stood before it began.
 */
export class Lane {
  readonly #waiting: Waiting[] = [];
  readonly #ended = new AbortController();
  #bytes = 0;
  #passed = 0;
  #finished = false;
  #wake: (() => void) | undefined;

  private constructor(
    private readonly direction: Direction,
    private readonly source: Socket,
    private readonly sink: Socket,
    private readonly faults: () => readonly NetworkFault[],
  ) {
    source.on('data', (bytes: Buffer) => this.take(bytes));
    source.once('end', () => {
      this.#finished = true;
      this.#wake?.();
    });
    source.once('close', () => this.#finished || this.end());
    sink.once('close', () => this.end());
  }

  static open(direction: Direction, source: Socket, sink: Socket, faults: () => readonly NetworkFault[]): void {
    void new Lane(direction, source, sink, faults).run();
  }

  /** Nothing passes any more. */
  private end(): void {
    this.#ended.abort();
    this.#wake?.();
  }

  private take(bytes: Buffer): void {
    this.#waiting.push({ bytes, at: performance.now() });
    this.#bytes += bytes.length;
    if (this.#bytes > MOST_WAITING) this.source.pause();
    this.#wake?.();
  }

  /** Never rejects: a wait that is cut short ends the lane. */
  private async run(): Promise<void> {
    try {
      for (let next = await this.next(); next !== undefined; next = await this.next()) await this.pass(next);
      if (this.#ended.signal.aborted) return;
      if (this.source.destroyed) this.sink.destroySoon();
      else this.sink.end();
    } catch {
      // The connection went while a piece was waiting.
    }
  }

  private async next(): Promise<Waiting | undefined> {
    while (this.#waiting.length === 0) {
      if (this.#finished || this.#ended.signal.aborted) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    const piece = this.#waiting.shift();
    this.#bytes -= piece?.bytes.length ?? 0;
    if (this.#bytes <= MOST_WAITING) this.source.resume();
    return piece;
  }

  private async pass(piece: Waiting): Promise<void> {
    await this.delayed(piece);
    let { bytes } = piece;
    for (const fault of this.mine()) {
      if (fault.kind === 'reset') {
        if (this.#passed + bytes.length < fault.afterBytes) continue;
        this.source.resetAndDestroy();
        this.sink.resetAndDestroy();
        return;
      }
      if (fault.kind !== 'limit-data') continue;
      const left = fault.bytes - this.#passed;
      if (bytes.length < left) continue;
      bytes = bytes.subarray(0, Math.max(0, left));
      await this.write(bytes);
      this.sink.end();
      this.source.destroy();
      return;
    }
    await this.paced(bytes);
  }

  private mine(): readonly NetworkFault[] {
    return this.faults().filter(
      (fault) => !('stream' in fault) || fault.stream === 'both' || fault.stream === this.direction,
    );
  }

  private async delayed({ at }: Waiting): Promise<void> {
    let delay = 0;
    for (const fault of this.mine()) {
      if (fault.kind === 'stall' || fault.kind === 'half-open') return this.hold();
      if (fault.kind === 'latency') delay += fault.ms + Math.round((Math.random() * 2 - 1) * fault.jitterMs);
    }
    const left = at + delay - performance.now();
    if (left > 0) await sleep(left, undefined, { signal: this.#ended.signal });
  }

  /** Until the connection ends: what a dead network swallowed does not come later. */
  private hold(): Promise<never> {
    const { signal } = this.#ended;
    return new Promise((_resolve, reject) => {
      if (signal.aborted) reject(new Error('ended'));
      else signal.addEventListener('abort', () => reject(new Error('ended')), { once: true });
    });
  }

  private async paced(bytes: Buffer): Promise<void> {
    const slow = this.mine().find((fault) => fault.kind === 'slicer' || fault.kind === 'bandwidth');
    if (slow === undefined) return this.write(bytes);
    const [size, pauseMs] =
      slow.kind === 'slicer'
        ? [slow.bytes, slow.delayMs]
        : [Math.max(1, Math.floor((slow.bytesPerSecond * PACE_MS) / 1_000)), PACE_MS];
    for (let from = 0; from < bytes.length; from += size) {
      await this.write(bytes.subarray(from, from + size));
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal: this.#ended.signal });
    }
  }

  private async write(bytes: Buffer): Promise<void> {
    if (this.#ended.signal.aborted || bytes.length === 0) return;
    this.#passed += bytes.length;
    if (this.sink.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.sink.once('drain', resolve);
      this.#ended.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}
