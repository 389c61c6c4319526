import { type Clock, type Database, type Outbox, uuidv7 } from '../../platform/index.js';
import type { Alarms } from '../alarm/alarms.js';
import type { AuditLog } from '../audit-log.js';
import type { RecordInput } from '../record.js';
import type { ClockOffsets } from './clock-offsets.js';
import { NoTime, type TimeSample } from './sntp.js';

export interface TimeWatchParts {
  /** Addresses as they are set. */
  sources: readonly string[];
  boundMs: number;
  clock: Clock;
  database: Pick<Database, 'transaction'>;
  auditLog: AuditLog;
  outbox: Pick<Outbox, 'tell'>;
  alarms: Pick<Alarms, 'set'> | undefined;
  offsets: Pick<ClockOffsets, 'set'> | undefined;
  /** @throws NoTime */
  measure: (source: string) => Promise<TimeSample>;
}

interface Found extends TimeSample {
  source: string;
  off: boolean;
}

/** A measurement that changes nothing is recorded as often as this. */
const RECORD_EVERY_MS = 3_600_000;
/** How long a server that wants to be left alone is left alone. */
const LEFT_ALONE_MS = 12 * 3_600_000;
/** So many rounds without an answer are an alarm. */
const SILENT_ROUNDS = 3;

/**
 * Measures this instance's clock against the configured sources and keeps the evidence in the log (Delegated Regulation (EU) 2024/1774
 * Article 12(2)(f)). The clock is off when at least half of those that answer say so: with three or more, one liar moves nothing.
 */
export class TimeWatch {
  readonly #leftAlone = new Map<string, number>();
  readonly #told = new Map<string, { off: boolean; atMs: number }>();
  #silent = 0;

  constructor(private readonly parts: TimeWatchParts) {}

  /** @throws when the database does not take what was found; the next round tells it again. */
  async round(): Promise<void> {
    const { sources, alarms } = this.parts;
    const found = (await Promise.all(sources.map((source) => this.ask(source)))).filter((one) => one !== undefined);
    this.#silent = found.length === 0 ? this.#silent + 1 : 0;
    alarms?.set('clock-unmeasured', this.#silent >= SILENT_ROUNDS);
    if (found.length > 0) alarms?.set('clock-off', found.filter(({ off }) => off).length * 2 >= found.length);
    for (const one of found) await this.tell(one);
  }

  private async ask(source: string): Promise<Found | undefined> {
    const { boundMs, measure, offsets } = this.parts;
    if ((this.#leftAlone.get(source) ?? 0) > this.nowMs()) return undefined;
    try {
      const { offsetUs, delayUs } = await measure(source);
      // Half the way is the error: past the bound nothing can be told by it.
      if (delayUs / 2 > boundMs * 1_000) return undefined;
      offsets?.set(source, offsetUs / 1_000_000);
      return { source, offsetUs, delayUs, off: Math.abs(offsetUs) > boundMs * 1_000 };
    } catch (error) {
      if (!(error instanceof NoTime)) throw error;
      if (error.kiss !== undefined) this.#leftAlone.set(source, this.nowMs() + LEFT_ALONE_MS);
      return undefined;
    }
  }

  private async tell({ source, offsetUs, delayUs, off }: Found): Promise<void> {
    const { auditLog, boundMs, clock, database, outbox } = this.parts;
    const before = this.#told.get(source);
    if (before?.off === off && this.nowMs() - before.atMs < RECORD_EVERY_MS) return;
    const now = clock.now();
    const record: RecordInput = {
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind: off ? 'clock.drift' : 'clock.measured',
      detail: { source, offsetUs, delayUs, boundUs: boundMs * 1_000 },
    };
    await database.transaction(async (tx) => {
      await auditLog.appendIn(tx, record);
      if (off && before?.off !== true)
        await outbox.tell(tx, {
          at: now,
          kind: 'audit.clock-drift',
          subject: auditLog.instance,
          recordId: record.id,
          detail: { offsetUs },
        });
    });
    this.#told.set(source, { off, atMs: this.nowMs() });
  }

  private nowMs(): number {
    return Number(this.parts.clock.monotonic() / 1_000_000n);
  }
}
