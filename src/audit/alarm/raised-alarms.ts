import type { AlarmName, Alarms } from './alarms.js';

/** The alarms of this instance for whoever shows them. */
export class RaisedAlarms {
  constructor(private readonly alarms: Pick<Alarms, 'list'> | undefined) {}

  /** Those that are raised now, with the instant of their raising. */
  list(): { alarm: AlarmName; since: string }[] {
    return this.alarms?.list() ?? [];
  }
}
