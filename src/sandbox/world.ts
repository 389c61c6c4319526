import { randomUUID } from 'node:crypto';
import { Businesses } from './companies/businesses.js';
import { OneTimeCodes } from './contacts/one-time-codes.js';
import { Transactions } from './transactions/transactions.js';
import { IdempotentAnswers } from './api/idempotency.js';
import { RateLimits } from './api/rate-limits.js';
import { SandboxClock } from './clock.js';
import { MediaSigner } from './decision/media.js';
import { workflowFeatures, type Feature } from './decision/features.js';
import { renderDecision } from './decision/render.js';
import type { Scenario } from './decision/scenarios.js';
import type { ApiFault } from './faults/api-faults.js';
import { Lottery } from './faults/lottery.js';
import { Ledger } from './ledger.js';
import { Lifecycle } from './sessions/lifecycle.js';
import type { Session } from './sessions/session.js';
import { SessionStore } from './sessions/store.js';
import type { Settings } from './settings.js';
import { answerText, type JsonObject } from './wire/json.js';
import { WebhookDispatcher } from './webhooks/dispatcher.js';
import { statusUpdated } from './webhooks/envelope.js';
import type { WebhookFault } from './webhooks/webhook-faults.js';

interface Rendered {
  readonly version: number;
  readonly at: number;
  readonly bytes: Buffer;
}

/** A rendering is kept while its media links have most of their hour before them. */
const renderingLifetime = 5 * 60_000;

/** Everything the sandbox knows: the one application it plays, and what people asked it to do wrong. */
export class World {
  readonly settings: Settings;
  readonly clock = new SandboxClock();
  readonly apiFaults = new Lottery<ApiFault>();
  readonly webhookFaults = new Lottery<WebhookFault>();
  readonly media = new MediaSigner();
  readonly idempotent = new IdempotentAnswers();
  readonly store: SessionStore;
  readonly ledger: Ledger;
  readonly rates: RateLimits;
  readonly lifecycle: Lifecycle;
  readonly webhooks: WebhookDispatcher;
  readonly applicationId = randomUUID();
  readonly startedAt = Date.now();
  /** Where it is reached; known once it listens. */
  origin = '';
  /** The workflow's latest published version. */
  workflowVersion = 1;
  /** What standalone checks find, where their input does not say. */
  standaloneScenario: Scenario = 'clean';
  /** Checks of the workflow, for sessions made from now on. */
  features: readonly Feature[] = workflowFeatures;
  readonly codes = new OneTimeCodes();
  readonly transactions = new Transactions();
  readonly businesses = new Businesses();
  readonly #rendered = new WeakMap<Session, Rendered>();

  constructor(settings: Settings, ca: string) {
    this.settings = settings;
    this.store = new SessionStore(settings.keep.sessions);
    this.ledger = new Ledger(settings.keep.ledger);
    this.rates = new RateLimits(settings.rateLimits);
    this.webhooks = new WebhookDispatcher({ settings, ca, clock: this.clock, faults: this.webhookFaults });
    this.lifecycle = new Lifecycle({
      clock: this.clock,
      store: this.store,
      sessionLifetimeMs: settings.sessionLifetimeMs,
      changed: (session, resubmitInfo) => this.notify(session, resubmitInfo),
    });
  }

  decision(session: Session): JsonObject {
    const links = this.media.links(this.origin, session.id, this.clock.wall());
    return renderDecision(session, { origin: this.origin, environment: this.settings.environment, links });
  }

  /** The decision as it goes over the wire, kept until the session changes. */
  decisionBytes(session: Session): Buffer {
    const now = this.clock.wall();
    const kept = this.#rendered.get(session);
    if (kept !== undefined && kept.version === session.version && now - kept.at < renderingLifetime) return kept.bytes;
    const bytes = Buffer.from(answerText(this.decision(session)));
    this.#rendered.set(session, { version: session.version, at: now, bytes });
    return bytes;
  }

  notify(session: Session, resubmitInfo?: JsonObject): void {
    const context = {
      applicationId: this.applicationId,
      environment: this.settings.environment,
      at: this.clock.wall(),
      decision: () => this.decision(session),
    };
    this.webhooks.send(statusUpdated(session, context, resubmitInfo));
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    this.lifecycle.sweep();
  }

  /** Forgets everything that happened; what it was configured with stays. */
  reset(): void {
    this.apiFaults.remove();
    this.webhookFaults.remove();
    this.webhooks.reset();
    this.clock.reset();
    this.store.clear();
    this.ledger.reset();
    this.rates.reset();
    this.idempotent.clear();
    this.codes.clear();
    this.transactions.clear();
    this.businesses.clear();
    this.features = workflowFeatures;
  }

  async close(): Promise<void> {
    this.clock.stop();
    await this.webhooks.close();
  }
}
