import { Inject, Injectable } from '@nestjs/common';
import { type Counter, metrics } from '@opentelemetry/api';
import { Clock, type Config, CONFIG, Database, Log, Outbox, ProblemError } from '../../platform/index.js';
import { VendorFailure } from '../../vendors/index.js';
import { VerificationFollower } from '../verifications/verification-follower.js';
import { SweepStore } from './sweep-store.js';

export const SWEEP = 'reconciliation.sweep';

export interface Swept {
  /** Sessions asked about. */
  asked: number;
  /** Verifications whose status has moved without any webhook. */
  healed: number;
}

/**
 * Asks about verifications of which nothing has been heard for too long: Didit repeats a webhook twice and is then silent. What it finds is
 * applied by the one that follows sessions; each is asked about by one instance, a bounded number a round.
 */
@Injectable()
export class Sweep {
  readonly #asked: Counter;
  readonly #healed: Counter;

  constructor(
    private readonly store: SweepStore,
    private readonly follower: VerificationFollower,
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    const meter = metrics.getMeter('gatehouse');
    this.#asked = meter.createCounter('gatehouse.reconciliation.asked', {
      description: 'Sessions that the sweep asked the vendor about.',
    });
    this.#healed = meter.createCounter('gatehouse.reconciliation.healed', {
      description: 'Verifications that the sweep moved and no webhook had told of.',
    });
  }

  /** Ends early when the vendor cannot be asked: what is left comes with a later round. */
  async round(): Promise<Swept> {
    const swept: Swept = { asked: 0, healed: 0 };
    for (const session of await this.store.take(this.config.reconciliation.perRound)) {
      try {
        swept.asked += 1;
        swept.healed += await this.ask(session);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        if (error instanceof VendorFailure) break;
        this.log.warn('a session could not be asked about', { error });
      }
    }
    this.#asked.add(swept.asked);
    if (swept.healed > 0) await this.tell(swept);
    return swept;
  }

  private async ask({ sessionId, clientId }: { sessionId: string; clientId: string }): Promise<number> {
    const asker = { job: SWEEP, client: clientId };
    const { moved } = await this.follower.followSession(asker, sessionId, 'sweep');
    return moved.length;
  }

  private async tell({ asked, healed }: Swept): Promise<void> {
    this.#healed.add(healed);
    await this.outbox.tell(this.database.source.manager, {
      at: this.clock.now(),
      kind: 'webhooks.silent',
      subject: 'didit',
      detail: { asked, healed },
    });
  }
}
