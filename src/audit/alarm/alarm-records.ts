import { type Clock, uuidv7 } from '../../platform/index.js';
import type { AuditLog } from '../audit-log.js';
import type { RecordInput } from '../record.js';
import type { AlarmEvent } from './alarms.js';

/** More changes than this during one outage are a flapping that the file of alarms tells. */
const MOST_WAITING = 256;

/** Records of alarms: they wait until the log can be written, which for most of them is the very thing that was wrong. */
export class AlarmRecords {
  readonly #waiting: RecordInput[] = [];
  #flushing: Promise<boolean> | undefined;

  constructor(
    private readonly auditLog: Pick<AuditLog, 'append'>,
    private readonly clock: Clock,
  ) {}

  /** @param of the alarm of an instance that is no more, and since when it was raised */
  add(
    { alarm, state, at }: Pick<AlarmEvent, 'alarm' | 'at'> & { state: AlarmEvent['state'] | 'passed' },
    of: { instance?: string; since?: string } = {},
  ): void {
    if (this.#waiting.length === MOST_WAITING) this.#waiting.shift();
    const id = uuidv7(this.clock.epochMs());
    this.#waiting.push({ id, at, kind: 'gateway.alarm', detail: { alarm, state, ...of } });
  }

  /** Never rejects. @returns whether everything there was is durable. */
  flush(): Promise<boolean> {
    this.#flushing ??= this.run().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  private async run(): Promise<boolean> {
    for (let record = this.#waiting[0]; record !== undefined; record = this.#waiting[0]) {
      try {
        // The same record under the same id until it is known to be durable: appending it twice leaves one.
        await this.auditLog.append(record);
      } catch {
        return false;
      }
      if (this.#waiting[0] === record) this.#waiting.shift();
    }
    return true;
  }
}
