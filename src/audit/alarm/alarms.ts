import { metrics, type ObservableGauge, type ObservableResult } from '@opentelemetry/api';
import type { Clock, Log } from '../../platform/index.js';

/** Every alarm there is, with the line that the operational log gets: fixed sentences, so that a rule of a log collector can wait for them. */
export const ALARMS = {
  'log-unwritable': ['alarm: the log cannot be written', 'alarm over: the log is written again'],
  'numbering-stalled': [
    'alarm: records wait too long for their numbers',
    'alarm over: records get their numbers again',
  ],
  'signing-stopped': ['alarm: the log is not signed any more', 'alarm over: the log is signed again'],
  'checkpoint-refused': [
    'alarm: a published checkpoint bears no good signature',
    'alarm over: the last published checkpoint is good again',
  ],
  'checkpoint-missing': [
    'alarm: a published checkpoint is missing from the database',
    'alarm over: no published checkpoint is missing',
  ],
  'journal-unwritable': [
    'alarm: the journal of refusals cannot be written',
    'alarm over: the journal of refusals is written again',
  ],
  'disk-nearly-full': ['alarm: the disk of the data folder is nearly full', 'alarm over: the disk has space again'],
  'clock-off': ['alarm: the clock is off its source', 'alarm over: the clock agrees with its source'],
  'clock-unmeasured': [
    'alarm: no time source answers, the clock is not measured',
    'alarm over: a time source answers again',
  ],
  'clock-off-database': [
    'alarm: the clock and that of the database differ',
    'alarm over: the clock and that of the database agree',
  ],
} as const;

export type AlarmName = keyof typeof ALARMS;

/** A change of an alarm, as it stands in alarms.jsonl and is posted. */
export interface AlarmEvent {
  alarm: AlarmName;
  state: 'raised' | 'cleared';
  /** ISO 8601 UTC. */
  at: string;
  instance: string;
  origin: string;
}

export interface AlarmsParts {
  clock: Clock;
  log: Pick<Log, 'error' | 'warn'>;
  instance: string;
  origin: string;
}

/**
 * What is wrong with the keeping of the log on this instance, as long as it is wrong (Delegated Regulation (EU) 2024/1774 Article 12(2)(e)).
 * Nothing here needs the database.
 */
export class Alarms {
  readonly #raised = new Map<AlarmName, string>();
  readonly #listeners: ((event: AlarmEvent) => void)[] = [];
  readonly #gauge: ObservableGauge;
  readonly #observe: (result: ObservableResult) => void;

  constructor(private readonly parts: AlarmsParts) {
    this.#gauge = metrics.getMeter('gatehouse').createObservableGauge('gatehouse.alarm', {
      description: 'Whether an alarm of this instance is raised.',
    });
    this.#observe = (result) => {
      for (const alarm of Object.keys(ALARMS)) result.observe(this.has(alarm as AlarmName) ? 1 : 0, { alarm });
    };
    this.#gauge.addCallback(this.#observe);
  }

  has(alarm: AlarmName): boolean {
    return this.#raised.has(alarm);
  }

  /** Those that are raised now, with the instant of their raising. */
  list(): { alarm: AlarmName; since: string }[] {
    return [...this.#raised].map(([alarm, since]) => ({ alarm, since }));
  }

  /** @param listener told of every change; must not throw */
  listen(listener: (event: AlarmEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** Says how things stand; only a change is told. */
  set(alarm: AlarmName, wrong: boolean): void {
    if (this.has(alarm) === wrong) return;
    const at = this.parts.clock.now().toISOString();
    const [raised, cleared] = ALARMS[alarm];
    if (wrong) {
      this.#raised.set(alarm, at);
      this.parts.log.error(raised);
    } else {
      this.#raised.delete(alarm);
      this.parts.log.warn(cleared);
    }
    const { instance, origin } = this.parts;
    const event: AlarmEvent = { alarm, state: wrong ? 'raised' : 'cleared', at, instance, origin };
    for (const listener of this.#listeners) listener(event);
  }

  stop(): void {
    this.#gauge.removeCallback(this.#observe);
  }
}
