import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { AuditLog, type RecordInput } from '../../audit/index.js';
import { Clock, type Config, CONFIG, Database, Lifecycle, Log, Rounds, uuidv7 } from '../../platform/index.js';
import { type Claimed, DeliveryBook, LEASE_MS, type Settled } from './delivery-book.js';
import { DeliveryMetrics } from './delivery-metrics.js';
import { EndpointHealth } from './endpoint-health.js';
import { Messages } from './messages.js';
import { Pace } from './pace.js';
import { type Attempt, ReceiverClient, withheld } from './receiver-client.js';
import { nextAttemptMs } from './retry-schedule.js';
import { signedHeaders } from './signing.js';
import { SigningKeys } from './signing-keys.js';

const LOOK_EVERY_MS = 250;
const TOGETHER = 256;
const JUDGE_EVERY_MS = 10_000;
const PRUNE_EVERY_MS = 600_000;
const MOST_PRUNED = 10_000;
const MOST_TRIES = 5;
const BETWEEN_TRIES_MS = 200;

/**
 * Makes deliveries, on any instance: takes what is due under a lease, posts it, and settles what came of it with its record, many at once.
 * An instance that dies leaves its deliveries to the others within the length of a lease: at least once, each time under the same id.
 */
@Injectable()
export class Deliverer implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #holder = randomUUID();
  readonly #pace: Pace;
  /** Numbers of the deliveries in this instance's hands. */
  readonly #held = new Set<string>();
  #ended: Settled[] = [];
  #settling: Promise<void> | undefined;
  #rounds: Rounds[] = [];
  #look: Rounds | undefined;
  #draining = false;

  constructor(
    private readonly book: DeliveryBook,
    private readonly health: EndpointHealth,
    private readonly messages: Messages,
    private readonly keys: SigningKeys,
    private readonly client: ReceiverClient,
    private readonly database: Database,
    private readonly auditLog: AuditLog,
    private readonly metrics: DeliveryMetrics,
    private readonly lifecycle: Lifecycle,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    const { attemptsAtOnce, perEndpoint } = config.webhooks.out;
    this.#pace = new Pace({ all: attemptsAtOnce, each: perEndpoint });
  }

  onModuleInit(): void {
    this.lifecycle.whenDraining(() => (this.#draining = true));
  }

  onApplicationBootstrap(): void {
    const { keep } = this.config.webhooks.out;
    this.#look = new Rounds('webhooks.deliveries', LOOK_EVERY_MS, this.log, () => this.look());
    this.#rounds = [
      this.#look,
      new Rounds('webhooks.leases', LEASE_MS / 4, this.log, () => this.renew()),
      new Rounds('webhooks.health', JUDGE_EVERY_MS, this.log, () => this.judge()),
      new Rounds('webhooks.prune', PRUNE_EVERY_MS, this.log, () =>
        this.book.prune(new Date(this.clock.epochMs() - keep), MOST_PRUNED),
      ),
    ];
  }

  /** What is under way was waited for while the instance drained; what took longer is another instance's. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#draining = true;
    await Promise.all(this.#rounds.map((rounds) => rounds.stop()));
    await this.#settling;
    await this.client.close();
  }

  /** Takes what is due, as much as there is room for. */
  async look(): Promise<void> {
    if (this.#draining || this.#pace.free === 0) return;
    const taken = await this.book.claim({ holder: this.#holder, now: this.clock.now(), ...this.#pace.rooms() });
    for (const delivery of taken) void this.deliver(delivery);
  }

  private async deliver(delivery: Claimed): Promise<void> {
    this.#pace.begin(delivery.endpointId);
    this.#held.add(delivery.n);
    this.lifecycle.begin();
    try {
      this.ended(delivery, await this.attempt(delivery));
    } catch (error) {
      this.log.warn('a webhook could not be made ready', { error });
      this.letGo(delivery, undefined);
    }
  }

  /** What was not settled is taken up again, here or elsewhere, once its lease has lapsed. */
  private letGo({ n, endpointId }: Claimed, well: boolean | undefined): void {
    this.#held.delete(n);
    this.#pace.end(endpointId, well);
    this.lifecycle.end();
  }

  private async attempt(delivery: Claimed): Promise<Attempt> {
    const body = await this.messages.of(delivery);
    if (body === undefined) return withheld(this.clock.now());
    const keys = await this.keys.of(delivery.endpointId);
    const seconds = Math.floor(this.clock.epochMs() / 1_000);
    const headers = signedHeaders(`msg_${delivery.eventId}`, seconds, body, keys);
    return this.client.post(delivery.url, headers, body, () => this.clock.now());
  }

  private ended(delivery: Claimed, attempt: Attempt): void {
    const nowMs = this.clock.epochMs();
    const delivered = attempt.outcome === 'delivered';
    const { retries } = this.config.webhooks.out;
    const inMs = delivered ? undefined : nextAttemptMs(retries, delivery.attempts, attempt.retryAfterMs);
    const state = delivered ? 'delivered' : inMs === undefined ? 'dead' : 'waiting';
    const nextAt = new Date(nowMs + (inMs ?? 0));
    this.#ended.push({ delivery, attempt, attemptId: uuidv7(nowMs), state, nextAt });
    this.#settling ??= this.settleAll().finally(() => (this.#settling = undefined));
  }

  /** Those that end meanwhile go together next. */
  private async settleAll(): Promise<void> {
    while (this.#ended.length > 0) {
      const settled = this.#ended.splice(0, TOGETHER);
      await this.insist(settled);
      for (const { delivery, attempt } of settled) this.letGo(delivery, attempt.outcome === 'delivered');
      this.#look?.now();
    }
  }

  /** What was taken must not be sent again because the database was away for a moment; for longer it is: at least once. */
  private async insist(settled: readonly Settled[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.settle(settled);
      } catch (error) {
        if (tries < MOST_TRIES) await sleep(BETWEEN_TRIES_MS * tries);
        else return this.log.warn('the end of deliveries could not be written down', { count: settled.length, error });
      }
    }
  }

  private async settle(settled: readonly Settled[]): Promise<void> {
    const now = this.clock.now();
    const done = await this.database.transaction(async (tx) => {
      const open = await this.book.settle(tx, this.#holder, settled, now);
      await this.health.learn(tx, open, now);
      await this.auditLog.appendAllIn(tx, open.map(recordOf));
      return open;
    });
    for (const { attempt, delivery } of done) this.metrics.attempted(attempt, delivery.at);
  }

  private async renew(): Promise<void> {
    if (this.#held.size > 0) await this.book.renew(this.#holder, [...this.#held], this.clock.now());
  }

  private async judge(): Promise<void> {
    await this.health.judge();
    this.metrics.waiting(await this.book.waiting());
  }
}

function recordOf({ delivery, attempt, attemptId, state }: Settled): RecordInput {
  const { outcome, status, durationMs } = attempt;
  return {
    id: attemptId,
    at: attempt.at.toISOString(),
    kind: outcome === 'delivered' ? 'webhook.delivered' : 'webhook.not-delivered',
    client: delivery.clientId ?? undefined,
    verification: delivery.verificationId ?? undefined,
    detail: {
      delivery: delivery.id,
      endpoint: delivery.endpointId,
      event: delivery.eventId,
      type: delivery.type,
      attempt: delivery.attempts,
      status,
      outcome,
      durationMs,
      ...(state === 'dead' ? { dead: true } : {}),
    },
  };
}
