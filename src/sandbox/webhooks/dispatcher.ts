import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';
import type { SandboxClock } from '../clock.js';
import type { Lottery } from '../faults/lottery.js';
import type { Settings } from '../settings.js';
import { scalarText, type JsonObject } from '../wire/json.js';
import { Gate } from './gate.js';
import { signWebhook, type SignedWebhook } from './signer.js';
import { disturbed, type WebhookFault } from './webhook-faults.js';

interface Attempt {
  /** ISO instant on the wall clock. */
  readonly at: string;
  /** The receiver's status, what went wrong with the connection, or what a fault did. */
  readonly outcome: string;
  readonly fault: string | null;
}

/** What became of one notification, for people and tests to look at. */
export interface Delivery {
  readonly eventId: string;
  readonly sessionId: string;
  readonly type: string;
  readonly status: string;
  state: 'pending' | 'delivered' | 'failed' | 'dropped';
  readonly attempts: Attempt[];
}

interface Job {
  readonly payload: JsonObject;
  readonly delivery: Delivery;
  readonly url: string;
  /** Aborted when the sandbox forgets everything. */
  readonly stop: AbortSignal;
}

export interface DispatcherParts {
  readonly settings: Settings;
  readonly clock: SandboxClock;
  readonly faults: Lottery<WebhookFault>;
  /** PEM of the authority that the receiver's certificate comes from. */
  readonly ca: string;
}

/**
 * Sends notifications to the one configured destination: 2xx within the time limit is delivered; 5xx, 404, a timeout and a
 * failed connection are tried again at the configured delays of the sandbox clock; anything else is final.
 * Notifications of one session leave in order, unless a fault says otherwise.
 */
export class WebhookDispatcher {
  readonly #parts: DispatcherParts;
  readonly #agent: Agent;
  readonly #gate: Gate;
  readonly #tails = new Map<string, Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #held: (() => void)[] = [];
  #deliveries: Delivery[] = [];
  #stop = new AbortController();
  #url: string | null;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#url = parts.settings.webhookUrl;
    this.#gate = new Gate(parts.settings.webhooks.concurrency, parts.settings.webhooks.pending);
    this.#agent = new Agent({ connect: { ca: parts.ca }, connections: parts.settings.webhooks.concurrency });
  }

  get url(): string | null {
    return this.#url;
  }

  set url(url: string | null) {
    this.#url = url;
  }

  /** Newest last. */
  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  send(payload: JsonObject): void {
    if (this.#url === null) return;
    const delivery: Delivery = {
      eventId: scalarText(payload['event_id']),
      sessionId: scalarText(payload['session_id']),
      type: scalarText(payload['webhook_type']),
      status: scalarText(payload['status']),
      state: 'pending',
      attempts: [],
    };
    this.#remember(delivery);
    this.#inOrder({ payload, delivery, url: this.#url, stop: this.#stop.signal });
  }

  /** Forgets what was sent and what waits. */
  reset(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#held = [];
    this.#deliveries = [];
    this.#tails.clear();
  }

  async close(): Promise<void> {
    this.reset();
    await this.#agent.destroy();
  }

  #remember(delivery: Delivery): void {
    this.#deliveries.push(delivery);
    const { kept } = this.#parts.settings.webhooks;
    // Cut in blocks: shifting the array on every notification would cost more than sending one.
    if (this.#deliveries.length > kept * 1.2) this.#deliveries = this.#deliveries.slice(-kept);
  }

  /** The next notification of a session waits until this one was tried once, or was taken aside by a fault. */
  #inOrder(job: Job): void {
    const key = job.delivery.sessionId;
    const before = this.#tails.get(key) ?? Promise.resolve();
    const tail = before
      .then(() => this.#first(job))
      .finally(() => {
        if (this.#tails.get(key) === tail) this.#tails.delete(key);
      });
    this.#tails.set(key, tail);
  }

  async #first(job: Job): Promise<void> {
    if (job.stop.aborted) return;
    // Two that wait for each other to be overtaken would both only wait.
    const fault = this.#parts.faults.draw(({ kind }) => kind !== 'reorder' || this.#held.length === 0);
    const now = this.#parts.clock.now();
    if (fault?.kind === 'drop') return this.#dropped(job, 'drop');
    if (fault?.kind === 'delay') return this.#later(fault.ms ?? 5_000, () => this.#attempt(job, 0, now, fault));
    if (fault?.kind === 'reorder') return this.#hold(job, fault);
    await this.#attempt(job, 0, now, fault);
    if (fault?.kind === 'duplicate') await this.#post(job, 0, fault);
    this.#letGo();
  }

  /** `dueAt` is on the sandbox clock: the next attempt counts from there, however late this one runs. */
  async #attempt(job: Job, number: number, dueAt: number, fault?: WebhookFault): Promise<void> {
    const outcome = await this.#post(job, number, fault);
    if (job.stop.aborted) return;
    if (outcome === null) return this.#dropped(job, 'queue full');
    if (/^2\d\d$/.test(outcome)) job.delivery.state = 'delivered';
    else if (mayRetry(outcome)) this.#retry(job, number, dueAt);
    else job.delivery.state = 'failed';
  }

  #retry(job: Job, number: number, dueAt: number): void {
    const delay = this.#parts.settings.webhooks.retryDelaysMs[number];
    if (delay === undefined) {
      job.delivery.state = 'failed';
      return;
    }
    this.#parts.clock.at(dueAt + delay, (due) => void this.#attempt(job, number + 1, due, this.#retryFault()));
  }

  /** Faults that act once on a notification's way act on its first attempt; those that spoil it may strike again. */
  #retryFault(): WebhookFault | undefined {
    return this.#parts.faults.draw((fault) => ['forge', 'stale', 'corrupt'].includes(fault.kind));
  }

  /** The outcome of one sending, or null when too many were waiting to be sent. */
  async #post(job: Job, number: number, fault?: WebhookFault): Promise<string | null> {
    const outcome = await this.#gate.through(() => this.#exchange(job, this.#message(job, number, fault)));
    if (outcome === null || job.stop.aborted) return outcome;
    job.delivery.attempts.push({ at: new Date().toISOString(), outcome, fault: fault?.kind ?? null });
    return outcome;
  }

  #message(job: Job, number: number, fault?: WebhookFault): SignedWebhook {
    const { behaviour, webhookSecret } = this.#parts.settings;
    const payload: JsonObject = {
      ...job.payload,
      ...(number > 0 && behaviour.eventId === 'per-attempt' ? { event_id: randomUUID() } : {}),
      ...(number > 0 && behaviour.retryTimestamp === 'fresh' ? { timestamp: this.#seconds() } : {}),
    };
    return disturbed(
      payload,
      (content, secret = webhookSecret) => signWebhook(content, secret, behaviour.wireFloats),
      fault,
    );
  }

  async #exchange(job: Job, { headers, body }: SignedWebhook): Promise<string> {
    const limit = AbortSignal.timeout(this.#parts.settings.webhooks.timeoutMs);
    const signal = AbortSignal.any([limit, job.stop]);
    try {
      const answer = await request(job.url, { method: 'POST', headers, body, dispatcher: this.#agent, signal });
      await answer.body.dump({ limit: 65_536, signal });
      return String(answer.statusCode);
    } catch (error) {
      return limit.aborted ? 'timeout' : `connection failed: ${codeOf(error)}`;
    }
  }

  #seconds(): number {
    return Math.floor(this.#parts.clock.wall() / 1000);
  }

  #hold(job: Job, fault: WebhookFault): void {
    let gone = false;
    const release = (): void => {
      if (gone) return;
      gone = true;
      void this.#attempt(job, 0, this.#parts.clock.now(), fault);
    };
    this.#held.push(release);
    this.#later(fault.ms ?? 2_000, release);
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = [];
    for (const release of held) release();
  }

  #later(ms: number, task: () => unknown): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, ms);
    timer.unref();
    this.#timers.add(timer);
  }

  #dropped(job: Job, why: string): void {
    job.delivery.state = 'dropped';
    job.delivery.attempts.push({ at: new Date().toISOString(), outcome: 'not sent', fault: why });
  }
}

const mayRetry = (outcome: string): boolean => outcome === '404' || !/^[1234]\d\d$/.test(outcome);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
