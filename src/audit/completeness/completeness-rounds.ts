import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, type Config, CONFIG, Database, Log, Outbox, Rounds } from '../../platform/index.js';
import { AuditLog } from '../audit-log.js';
import { Completeness } from './completeness.js';

const MOST_EVERY_MS = 15_000;

/** Has the gateway look for changes that were meant and never ended, as long as it runs. */
@Injectable()
export class CompletenessRounds implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #completeness: Completeness;
  readonly #everyMs: number;
  #rounds: Rounds | undefined;

  constructor(
    database: Database,
    auditLog: AuditLog,
    outbox: Outbox,
    clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) config: Config,
  ) {
    const patienceMs = config.audit.intentPatience;
    this.#completeness = new Completeness({ database, auditLog, outbox, clock, patienceMs });
    this.#everyMs = Math.min(MOST_EVERY_MS, patienceMs);
  }

  onApplicationBootstrap(): void {
    this.#rounds = new Rounds('audit.completeness', this.#everyMs, this.log, async () => {
      const count = await this.#completeness.round();
      if (count > 0) this.log.warn('changes at the vendor were closed as of unknown outcome', { count });
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#rounds?.stop();
  }
}
