import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { Clock, Database, type Job, Jobs, Log, Outbox, type Tx } from '../../platform/index.js';
import { VerificationFollower } from '../../orchestration/index.js';
import { Inbox } from './inbox.js';
import { DEAD, FOLLOW } from './queues.js';

/** Follows run in parallel; those of one session wait for each other where they write. */
const CONCURRENCY = 4;
/** A webhook can overtake the answer that made its session known here, so an unknown one is looked for again. */
const LOOKS = 3;
const BETWEEN_LOOKS_S = 15;
/** Far longer than any vendor sends again by itself; a person may send from the console what is a year old. */
const KEEP_MS = 400 * 86_400_000;
const PRUNE_EVERY_MS = 3_600_000;

/** Works on what was received: the vendor is asked where the session stands, whatever the webhook said. */
@Injectable()
export class WebhookWorker implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly jobs: Jobs,
    private readonly inbox: Inbox,
    private readonly follower: VerificationFollower,
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.jobs.work(FOLLOW, (job) => this.follow(job), { concurrency: CONCURRENCY });
    this.jobs.work(DEAD, (job) => this.giveUp(job), { concurrency: 1 });
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.prune(), PRUNE_EVERY_MS).unref();
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** At least once; what is settled already has had its effect. */
  async follow({ data }: Pick<Job, 'data'>): Promise<void> {
    const webhook = await this.inbox.find(data['webhook'] ?? '');
    if (webhook === null || webhook.state !== 'new' || webhook.sessionId === null) return;
    const { call } = data;
    // What the vendor has decided is late already: it comes before what a caller waits for.
    const asker = { job: FOLLOW, priority: 'critical' as const, ...(call === undefined ? {} : { call }) };
    const { followers } = await this.follower.followSession(asker, webhook.sessionId, 'webhook');
    if (followers > 0) await this.inbox.settle(this.database.source.manager, webhook.id, 'done');
    else await this.database.transaction((tx) => this.lookAgain(tx, webhook.id, data));
  }

  /** What could not be worked on in a day stays in the inbox, and people hear of it. */
  async giveUp({ data }: Pick<Job, 'data'>): Promise<void> {
    const id = data['webhook'] ?? '';
    await this.database.transaction(async (tx) => {
      if (!(await this.inbox.settle(tx, id, 'failed'))) return;
      await this.outbox.tell(tx, {
        at: this.clock.now(),
        kind: 'webhook.failed',
        subject: 'didit',
        detail: { webhook: id },
      });
    });
  }

  private async lookAgain(tx: Tx, id: string, data: Job['data']): Promise<void> {
    const looks = await this.inbox.countAttempt(tx, id);
    if (looks < LOOKS) await this.jobs.send(tx, FOLLOW, data, { afterS: BETWEEN_LOOKS_S });
    else await this.inbox.settle(tx, id, 'unmatched');
  }

  private async prune(): Promise<void> {
    try {
      await this.inbox.prune(new Date(this.clock.epochMs() - KEEP_MS));
    } catch (error) {
      this.log.warn('old webhooks could not be dropped', { error });
    }
  }
}
