import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { metrics, type ObservableResult } from '@opentelemetry/api';
import { Clock, type Config, CONFIG, Log, Rounds } from '../../platform/index.js';
import { SWEEP, Sweep } from './sweep.js';
import { type Completeness, SweepStore } from './sweep-store.js';

const MEASURE_EVERY_MS = 30_000;

const GAUGES: readonly { figure: keyof Completeness; description: string }[] = [
  { figure: 'expected', description: 'Verifications of the window whose decision is to come or has come.' },
  { figure: 'decided', description: 'Those of them that are decided.' },
  { figure: 'notified', description: 'Those of the decided that a webhook told of.' },
  { figure: 'healed', description: 'Those of the decided that asking found out, by the sweep or a read.' },
  { figure: 'overdue', description: 'Those of the expected that are undecided after the end of their session.' },
];

/** Runs the sweep, and keeps the completeness figures for the metrics. */
@Injectable()
export class SweepRounds implements OnApplicationBootstrap, OnApplicationShutdown {
  #sweeping: Rounds | undefined;
  #measuring: Rounds | undefined;
  #figures: Completeness | undefined;

  constructor(
    private readonly sweep: Sweep,
    private readonly store: SweepStore,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    const meter = metrics.getMeter('gatehouse');
    for (const { figure, description } of GAUGES) {
      meter
        .createObservableGauge(`gatehouse.verifications.${figure}`, { description })
        .addCallback((result: ObservableResult) => {
          if (this.#figures !== undefined) result.observe(this.#figures[figure]);
        });
    }
  }

  onApplicationBootstrap(): void {
    const sweep = async (): Promise<void> => void (await this.sweep.round());
    this.#sweeping = new Rounds(SWEEP, this.config.reconciliation.every, this.log, sweep);
    this.#measuring = new Rounds('reconciliation.measure', MEASURE_EVERY_MS, this.log, () => this.measure());
    this.#measuring.now();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#sweeping?.stop();
    await this.#measuring?.stop();
  }

  private async measure(): Promise<void> {
    const now = this.clock.epochMs();
    this.#figures = await this.store.completeness(new Date(now - this.config.reconciliation.window), new Date(now + 1));
  }
}
