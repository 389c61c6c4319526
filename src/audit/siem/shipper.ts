import type { Clock, Log } from '../../platform/index.js';
import type { LogStore } from '../checkpoints/log-store.js';
import { proveRange } from '../tree/range-proof.js';
import { TileTree } from '../tree/tile-tree.js';
import { type Format, recordLine, statementLine } from './lines.js';
import type { Shipment, Sink } from './sink.js';
import type { SinkStore } from './sink-store.js';

/** Lengths of time of a shipper, in milliseconds. */
export interface Pace {
  /** How long it waits before it looks again, when there is nothing to ship or another instance ships. */
  idle: number;
  /** How long the right to ship lasts when it is not renewed: a dead instance keeps others waiting no longer. */
  lease: number;
  renew: number;
  /** Longest a receiver may take to acknowledge a batch. */
  send: number;
  firstRetry: number;
  longestRetry: number;
}

export const PACE: Pace = {
  idle: 500,
  lease: 10_000,
  renew: 3_000,
  send: 60_000,
  firstRetry: 500,
  longestRetry: 60_000,
};

export interface ShipperParts {
  sink: Sink;
  format: Format;
  batch: { records: number; bytes: number };
  store: SinkStore;
  log: LogStore;
  clock: Clock;
  report: Pick<Log, 'warn' | 'info'>;
  pace?: Partial<Pace>;
}

/** What keeps a receiver from the log; `kind` is all that is shown of it: a receiver's own words can quote what it was sent. */
export class ShippingError extends Error {
  constructor(readonly kind: string) {
    super(kind);
    this.name = 'ShippingError';
  }
}

/**
 * Ships the log to one receiver, in order and at least once: a batch is followed by the next when it was acknowledged and the cursor has
 * moved past it, and sent again until then. One instance at a time has the right to ship; who loses it while sending stops, and what the
 * receiver then has twice bears the same ids. Every receiver has a loop of its own: none waits for another, and no writer for any.
 */
export class Shipper {
  readonly #tree: TileTree;
  readonly #pace: Pace;
  #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;
  #trouble: string | undefined;

  /** Called with the number of records of each acknowledged batch, and with 0 for each failure. */
  onSent: (records: number) => void = () => undefined;
  onFailed: (kind: string) => void = () => undefined;

  constructor(private readonly parts: ShipperParts) {
    this.#tree = new TileTree(parts.log);
    this.#pace = { ...PACE, ...parts.pace };
  }

  get name(): string {
    return this.parts.sink.name;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#running = this.run(this.#stopping.signal);
  }

  /** Ends the sending under way, which is sent again by whoever comes next, and leaves the receiver to others. */
  async stop(): Promise<void> {
    this.#stopping.abort(new ShippingError('stopped'));
    await this.#running;
    await this.parts.store.release(this.name).catch(() => undefined);
    await this.parts.sink.close();
  }

  private async run(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) await wait(await this.attempt(stopping), stopping);
  }

  /** @returns milliseconds to the next attempt. */
  private async attempt(stopping: AbortSignal): Promise<number> {
    try {
      const sent = await this.round(stopping);
      if (sent === 0) return this.#pace.idle;
      if (this.#failures > 0) this.parts.report.info('events go out again', { job: this.name });
      this.#failures = 0;
      this.#trouble = undefined;
      this.onSent(sent);
      return 0;
    } catch (error) {
      if (stopping.aborted) return 0;
      this.#failures += 1;
      this.#trouble = kindOf(error);
      this.onFailed(this.#trouble);
      if (this.#failures === 1) this.parts.report.warn('events cannot go out', { job: this.name, error });
      return this.backoff();
    }
  }

  /** Doubled with each failure up to its cap; the dice keep instances and receivers from falling into step. */
  private backoff(): number {
    const { firstRetry, longestRetry } = this.#pace;
    const longest = Math.min(firstRetry * 2 ** Math.min(this.#failures - 1, 30), longestRetry);
    return longest * (0.5 + Math.random() / 2);
  }

  /** One batch. @returns how many records were acknowledged; 0 when there is nothing to do for this instance. */
  private async round(stopping: AbortSignal): Promise<number> {
    const { sink, store } = this.parts;
    const first = await store.lease(sink.name, this.#pace.lease, this.#trouble);
    if (first === undefined) return 0;
    const shipment = await this.shipment(first);
    if (shipment === undefined) return 0;
    await this.send(shipment, stopping);
    const past = first + shipment.lines.length - 1;
    return (await store.move(sink.name, past)) ? past - first : 0;
  }

  /** The next records that a checkpoint covers, and the statement of their batch. */
  private async shipment(first: number): Promise<Shipment | undefined> {
    const { batch, clock, format, log, store } = this.parts;
    const tip = await log.tip();
    const signed = tip?.checkpoint;
    if (tip === undefined || signed === undefined || signed.size <= first) return undefined;
    const records = await store.records(first, Math.min(first + batch.records, signed.size), batch.bytes);
    // Nothing is passed over in silence: a record that went to the archive first stops the way until someone decides.
    if (records.length === 0 || records.some(({ seq }, at) => seq !== first + at))
      throw new ShippingError('records-missing');
    const past = first + records.length;
    const proof = await proveRange(this.#tree, first, past, signed.size);
    const statement = { first, past, checkpoint: signed.note, ...proof };
    const lines = records.map((record) => recordLine(format, record));
    return { kind: 'records', lines: [...lines, statementLine(format, statement, tip.origin, clock.now())] };
  }

  /** @throws what the sink throws; a ShippingError when it took too long or the right to ship was lost. */
  private async send(shipment: Shipment, stopping: AbortSignal): Promise<void> {
    const { sink, store } = this.parts;
    const ending = new AbortController();
    const end = (kind: string) => (): void => ending.abort(new ShippingError(kind));
    const late = setTimeout(end('timeout'), this.#pace.send);
    const renewal = setInterval(() => {
      store.lease(sink.name, this.#pace.lease, this.#trouble).then((next) => {
        if (next === undefined) end('lease-lost')();
      }, end('lease-lost'));
    }, this.#pace.renew);
    const signal = AbortSignal.any([stopping, ending.signal]);
    try {
      // A sink that pays no heed to the signal must not hold the loop.
      await Promise.race([sink.send(shipment, signal), aborted(signal)]);
    } finally {
      clearTimeout(late);
      clearInterval(renewal);
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

function wait(ms: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stopping.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stopping.addEventListener('abort', done, { once: true });
    if (stopping.aborted) done();
  });
}

const KIND = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/** One word for what went wrong: the error's kind, its code or its name, and never its message. */
function kindOf(error: unknown): string {
  const { kind, code, name } = (error ?? {}) as { kind?: unknown; code?: unknown; name?: unknown };
  return [kind, code, name].find((word): word is string => typeof word === 'string' && KIND.test(word)) ?? 'unknown';
}
