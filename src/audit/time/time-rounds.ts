import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { type Config, type Log, Rounds } from '../../platform/index.js';
import { measure, timeSource } from './sntp.js';
import { TimeWatch, type TimeWatchParts } from './time-watch.js';

export interface TimeRoundsParts extends Omit<TimeWatchParts, 'sources' | 'boundMs' | 'measure'> {
  settings: Config['time'];
  log: Log;
}

/** Measures the clock as long as the gateway runs, where there is a source to measure it against; at once for the first time. */
export class TimeRounds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #stopping = new AbortController();
  #rounds: Rounds | undefined;

  constructor(private readonly parts: TimeRoundsParts) {}

  onApplicationBootstrap(): void {
    const { settings, clock, log } = this.parts;
    const { source: sources, bound: boundMs, every } = settings;
    if (sources.length === 0) return;
    const { signal } = this.#stopping;
    const ask = (source: string) => measure(timeSource(source), clock, { signal });
    const watch = new TimeWatch({ ...this.parts, sources, boundMs, measure: ask });
    this.#rounds = new Rounds('audit.time', every, log, () => watch.round());
    this.#rounds.now();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await this.#rounds?.stop();
  }
}
