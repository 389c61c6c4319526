import type { Clock, Config } from '../../platform/index.js';
import type { Batcher } from '../batcher.js';
import type { Checkpointer } from '../checkpoints/checkpointer.js';
import type { RefusalsJournal } from '../refusals-journal.js';
import type { AlarmRecords } from './alarm-records.js';
import type { Alarms } from './alarms.js';
import type { LogState } from './probe.js';

export interface WatchParts {
  alarms: Alarms;
  records: Pick<AlarmRecords, 'add' | 'flush'>;
  batcher: Pick<Batcher, 'down' | 'failingSince'>;
  journal: Pick<RefusalsJournal, 'failed'>;
  /** Undefined where others sign. */
  checkpointer: Pick<Checkpointer, 'forked' | 'missing' | 'refused'> | undefined;
  clock: Clock;
  config: Pick<Config, 'audit' | 'time'>;
  /** Asks the database. @throws when it does not answer */
  ask: () => Promise<LogState | undefined>;
  free: () => Promise<number>;
  /** How the database's clock was found, in milliseconds ahead of ours. */
  onAhead?: (ms: number) => void;
}

const LOOK_MS = 250;
const ASK_MS = 2_000;
/** An alarm of the disk is over when there is a tenth more than the bound, so that it does not come and go. */
const MORE_SPACE = 1.1;

/** Looks at what the keeping of the log depends on, and raises and clears the alarms of it. A question that hangs hinders no look. */
export class AlarmWatch {
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> | undefined;
  #clearing: Promise<void> | undefined;
  #askedAtMs: number | undefined;
  #unansweredSinceMs: number | undefined;
  #signed = { size: 0, sinceMs: 0 };
  #refusals = 0;

  constructor(private readonly parts: WatchParts) {
    this.#signed.sinceMs = this.now();
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#asking;
    await this.#clearing;
    await this.parts.records.flush();
  }

  look(): void {
    const now = this.now();
    if (this.#asking === undefined && now - (this.#askedAtMs ?? -ASK_MS) >= ASK_MS) {
      this.#askedAtMs = now;
      this.#unansweredSinceMs ??= now;
      this.#asking = this.ask().finally(() => (this.#asking = undefined));
    }
    this.log(now);
    this.parts.alarms.set('journal-unwritable', this.parts.journal.failed);
    this.checkpoints();
  }

  private checkpoints(): void {
    const { alarms, checkpointer } = this.parts;
    if (checkpointer === undefined) return;
    const { forked, missing, refused } = checkpointer;
    if (forked !== undefined) alarms.set('signing-stopped', true);
    alarms.set('checkpoint-missing', missing);
    // A note that came and was followed by a good one between two looks is told, too.
    alarms.set('checkpoint-refused', refused.now || refused.count > this.#refusals);
    this.#refusals = refused.count;
  }

  /** A database that answers and takes no records is as good as none: only a record that was taken clears the alarm. */
  private log(now: number): void {
    const { alarms, batcher, config } = this.parts;
    const { after } = config.audit.alarm;
    const failing = now - (batcher.failingSince ?? now) >= after;
    if (now - (this.#unansweredSinceMs ?? now) >= after || (failing && batcher.down))
      alarms.set('log-unwritable', true);
    else if (this.#unansweredSinceMs === undefined && !batcher.down)
      this.#clearing ??= this.clear(failing).finally(() => (this.#clearing = undefined));
  }

  /** What waits to be recorded is the proof that records are taken again. */
  private async clear(failing: boolean): Promise<void> {
    const { alarms, records, clock } = this.parts;
    const raised = alarms.has('log-unwritable');
    // Nothing was written since the last failure: short trouble leaves a record, and no alarm.
    if (failing && !raised) records.add({ alarm: 'log-unwritable', state: 'passed', at: clock.now().toISOString() });
    const taken = await records.flush();
    if (failing && !taken) alarms.set('log-unwritable', true);
    if (!raised || !taken) return;
    alarms.set('log-unwritable', false);
    await records.flush();
  }

  private async ask(): Promise<void> {
    await this.disk();
    try {
      const state = await this.parts.ask();
      this.#unansweredSinceMs = undefined;
      if (state !== undefined) this.judge(state);
    } catch {
      // Away: `log` counts for how long.
    }
  }

  private judge(state: LogState): void {
    const { alarms, checkpointer, config, onAhead } = this.parts;
    const { standstill } = config.audit.alarm;
    alarms.set('numbering-stalled', state.oldestMs > standstill);
    const now = this.now();
    if (state.signed !== this.#signed.size || state.size === state.signed)
      this.#signed = { size: state.signed, sinceMs: now };
    if (checkpointer !== undefined && checkpointer.forked === undefined)
      alarms.set('signing-stopped', now - this.#signed.sinceMs > standstill);
    const { least, most } = state.aheadMs;
    onAhead?.((least + most) / 2);
    const { bound } = config.time;
    // Between the two it cannot be told: the answer took too long.
    if (least > bound || most < -bound) alarms.set('clock-off-database', true);
    else if (least >= -bound && most <= bound) alarms.set('clock-off-database', false);
  }

  private async disk(): Promise<void> {
    const { alarms, config, free } = this.parts;
    const bound = config.audit.alarm.freeSpace * (alarms.has('disk-nearly-full') ? MORE_SPACE : 1);
    // A disk that cannot be asked cannot be written either, which the journal tells.
    const bytes = await free().catch(() => undefined);
    if (bytes !== undefined) alarms.set('disk-nearly-full', bytes < bound);
  }

  private now(): number {
    return Number(this.parts.clock.monotonic() / 1_000_000n);
  }
}
