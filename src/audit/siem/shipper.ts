import type { Clock, Log } from '../../platform/index.js';
import { parseCheckpoint } from '../checkpoints/checkpoint.js';
import type { LogStore } from '../checkpoints/log-store.js';
import { proveRange } from '../tree/range-proof.js';
import { TileTree } from '../tree/tile-tree.js';
import { type Format, recordLine, statementLine } from './lines.js';
import { aborted, PACE, type Pace, wait } from './pace.js';
import { kindOf, ShippingError } from './shipping-error.js';
import type { Shipment, Sink } from './sink.js';
import type { SinkStore } from './sink-store.js';

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

/**
 * Ships the log to one receiver, in order and at least once: a batch is followed by the next when it was acknowledged and the cursor has
 * moved past it, and sent again until then. One instance at a time has the right to ship; who loses it while sending stops, and what the
 * receiver then has twice bears the same ids. Every receiver has a loop of its own: none waits for another, and no writer for any.
 */
export class Shipper {
  readonly #tree: TileTree;
  readonly #pace: Pace;
  /** Ends what is under way. */
  readonly #stopping = new AbortController();
  /** Ends only the waiting. */
  readonly #draining = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;
  /** The right to ship as it was last renewed: asked of the database anew when it is old. */
  #held: { next: number; at: bigint } | undefined;

  /** Called with the number of records of each acknowledged batch. */
  onSent: (records: number) => void = () => undefined;
  /** Called with the kind of each error. */
  onFailed: (kind: string) => void = () => undefined;

  constructor(private readonly parts: ShipperParts) {
    this.#tree = new TileTree(parts.log);
    this.#pace = { ...PACE, ...parts.pace };
  }

  get name(): string {
    return this.parts.sink.name;
  }

  start(): void {
    this.#running = this.run(this.#stopping.signal);
  }

  /** Ships what is left within a moment; what is not acknowledged then is sent again by whoever comes next. */
  async stop(): Promise<void> {
    this.#draining.abort();
    const late = setTimeout(() => this.#stopping.abort(new ShippingError('stopped')), this.#pace.farewell);
    await this.#running;
    clearTimeout(late);
    await this.parts.store.release(this.name).catch(() => undefined);
    await this.parts.sink.close();
  }

  private async run(stopping: AbortSignal): Promise<void> {
    const draining = this.#draining.signal;
    while (!stopping.aborted) {
      const pause = await this.attempt(stopping);
      // An attempt that began before the stop may have missed what came last: one more finds nothing or ships it.
      if (pause > 0 && draining.aborted && (await this.attempt(stopping)) > 0) return;
      await wait(pause, draining);
    }
  }

  /** @returns milliseconds to the next attempt. */
  private async attempt(stopping: AbortSignal): Promise<number> {
    try {
      const sent = await this.round(stopping);
      if (sent === undefined) return this.#pace.idle;
      if (this.#failures > 0) this.parts.report.info('events go out again', { job: this.name });
      this.#failures = 0;
      this.onSent(sent);
      return 0;
    } catch (error) {
      this.#held = undefined;
      if (stopping.aborted) return this.#pace.idle;
      await this.tell(kindOf(error), error);
      return this.backoff();
    }
  }

  private async tell(kind: string, cause: unknown): Promise<void> {
    this.#failures += 1;
    this.onFailed(kind);
    if (this.#failures === 1) this.parts.report.warn('events cannot go out', { job: this.name, error: cause });
    // Told at once and beside the cursor, so that every instance can show it; a database that is away is told of elsewhere.
    await this.parts.store.lease(this.name, this.#pace.lease, kind).catch(() => undefined);
  }

  /** Doubled with each failure up to its cap; the dice keep instances and receivers from falling into step. */
  private backoff(): number {
    const { firstRetry, longestRetry } = this.#pace;
    const longest = Math.min(firstRetry * 2 ** Math.min(this.#failures - 1, 30), longestRetry);
    return longest * (0.5 + Math.random() / 2);
  }

  /** One batch. @returns how many records were acknowledged; undefined when there is nothing to do for this instance. */
  private async round(stopping: AbortSignal): Promise<number | undefined> {
    const { sink, store } = this.parts;
    const first = await this.lease();
    const shipment = first === undefined ? undefined : await this.shipment(first);
    if (first === undefined || shipment === undefined) return undefined;
    await this.send(shipment, stopping);
    const past = first + shipment.lines.length - 1;
    this.#held = undefined;
    return (await store.move(sink.name, past)) ? past - first : undefined;
  }

  /** @returns the number of the next record; undefined while another instance ships. */
  private async lease(): Promise<number | undefined> {
    const now = this.parts.clock.monotonic();
    if (this.#held !== undefined && now - this.#held.at < BigInt(this.#pace.renew) * 1_000_000n) return this.#held.next;
    const next = await this.parts.store.lease(this.name, this.#pace.lease, undefined);
    this.#held = next === undefined ? undefined : { next, at: now };
    return next;
  }

  /** The next records that a checkpoint covers, and the statement of their batch. */
  private async shipment(first: number): Promise<Shipment | undefined> {
    const { batch, clock, format, log, store } = this.parts;
    const signed = await log.published();
    if (signed === undefined || signed.size <= first) return undefined;
    const records = await store.records(first, Math.min(first + batch.records, signed.size), batch.bytes);
    // Nothing is passed over in silence: a record that went to the archive first stops the way until someone decides.
    if (records.length === 0 || records.some(({ seq }, at) => seq !== first + at))
      throw new ShippingError('records-missing');
    const past = first + records.length;
    const proof = await proveRange(this.#tree, first, past, signed.size);
    const statement = { first, past, checkpoint: signed.note, ...proof };
    // The name that is signed: after a restore older records bear another one.
    const { origin } = parseCheckpoint(signed.note);
    const lines = records.map((record) => recordLine(format, record, origin));
    return { kind: 'records', lines: [...lines, statementLine(format, statement, origin, clock.now())] };
  }

  /** @throws what the sink throws; a ShippingError when it took too long or the right to ship was lost. */
  private async send(shipment: Shipment, stopping: AbortSignal): Promise<void> {
    const { sink, store } = this.parts;
    const ending = new AbortController();
    const end = (kind: string) => (): void => ending.abort(new ShippingError(kind));
    const late = setTimeout(end('timeout'), this.#pace.send);
    const renew = async (): Promise<void> => {
      const next = await store.lease(sink.name, this.#pace.lease, undefined).catch(() => undefined);
      if (next === undefined) end('lease-lost')();
    };
    const renewal = setInterval(() => void renew(), this.#pace.renew);
    // Not AbortSignal.any: what it makes of a signal that lives as long as the gateway lives as long.
    const stopped = end('stopped');
    stopping.addEventListener('abort', stopped);
    if (stopping.aborted) stopped();
    try {
      // A sink that pays no heed to the signal must not hold the loop.
      await Promise.race([sink.send(shipment, ending.signal), aborted(ending.signal)]);
    } finally {
      stopping.removeEventListener('abort', stopped);
      clearTimeout(late);
      clearInterval(renewal);
    }
  }
}
