import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, type Config, CONFIG, ConfigError, Keyring, type Secret } from '../../platform/index.js';
import type { BreakerChange } from '../resilience/breakers.js';
import { ResilienceMetrics } from '../resilience/metrics.js';
import type { Wanted } from '../resilience/passage.js';
import { Pipeline } from '../resilience/pipeline.js';
import { type VendorState, vendorState } from '../resilience/state.js';
import { VendorBudgets } from '../resilience/vendor-budgets.js';
import type { CheckedAnswer, VendorAnswer } from './answer.js';
import { DiditClient, isSpent, type VendorRequest } from './client.js';
import { ApiKeyCredential } from './credential.js';
import { Detours } from './detours.js';
import { VendorFailure, VendorRefusal } from '../failure.js';
import { DiditMasks } from './masks.js';
import type { VendorCallReport, VendorObserver } from './observer.js';
import { type OperationName, OPERATIONS } from './operations.js';
import { PriceList } from './prices.js';
import { judgeWebhook, type Verdict, type WebhookHeaders } from './webhook-signature.js';

/** Didit as the rest of the gateway sees it: its operations, its webhooks' signatures and its masks. */
@Injectable()
export class DiditVendor implements OnApplicationShutdown {
  readonly masks: DiditMasks;
  readonly prices: PriceList;
  /** Didit's workflow behind `onboarding`; undefined when the settings name none. */
  readonly workflowId: string | undefined;
  readonly #client: DiditClient;
  readonly #pipeline: Pipeline<CheckedAnswer>;
  readonly #budgets: VendorBudgets;
  readonly #metrics = new ResilienceMetrics('didit');
  readonly #collapses: boolean;
  readonly #clock: Clock;
  readonly #webhookSecrets: readonly Secret[];
  readonly #observers: VendorObserver[] = [];
  readonly #onBreaker: ((change: BreakerChange) => void)[] = [];

  /** @throws ConfigError naming the setting when the vendor cannot be called with what is given. */
  constructor(@Inject(CONFIG) config: Config, clock: Clock, keyring: Keyring, detours: Detours) {
    const { didit } = config.vendors;
    if (didit.baseUrl === undefined) throw new ConfigError('is not set', 'DIDIT_BASE_URL');
    const keys = didit.credential.from;
    if (keys === undefined) throw new ConfigError('is not set', 'DIDIT_API_KEY');
    this.#clock = clock;
    this.#collapses = didit.collapse;
    this.#webhookSecrets = didit.webhookSecret ?? [];
    this.prices = new PriceList(didit.prices.currency, didit.prices.operations);
    this.workflowId = config.workflows.onboarding.workflowId;
    this.masks = new DiditMasks(config.policy.masks.didit, (path, value) =>
      keyring.pseudonym('field-pseudonym', 'didit', path, value),
    );
    const origins = [...new Set([didit.baseUrl, ...didit.baseUrls])];
    this.#client = new DiditClient({
      origins,
      hosts: didit.hosts,
      credential: new ApiKeyCredential(keys),
      connectTimeoutMs: didit.timeouts.connect,
      connections: didit.connections,
      clock,
      detours,
      ...(didit.caFile === undefined ? {} : { caFile: didit.caFile }),
    });
    const nowMs = (): number => clock.monotonicMs();
    this.#budgets = new VendorBudgets({
      vendor: 'didit',
      settings: didit.budget,
      redisUrl: config.redisUrl,
      nowMs,
      refused: (kind) => this.#metrics.overBudget(kind),
    });
    this.#pipeline = new Pipeline({
      settings: { ...didit, origins },
      nowMs,
      budgetsOf: this.#budgets.of,
      ears: {
        breaker: (change) => this.#onBreaker.forEach((listener) => listener(change)),
        retried: (operation) => this.#metrics.retried(operation),
        collapsed: () => this.#metrics.collapsed(),
        shed: (priority) => this.#metrics.shed(priority),
      },
    });
    const { breakers, bulkhead } = this.#pipeline;
    this.#metrics.watch({ breakers, bulkhead, budgets: this.#budgets });
  }

  /**
   * Makes one call, through the resilience pipeline. Didit's 400, 404, 409, 422 and the 403 of an unfinished PDF come back as answers.
   * @throws VendorFailure when the vendor failed, telling whether it may have done the work; VendorRefusal when it was not let out:
   * `vendor-unavailable`, `vendor-budget-exceeded`, `overloaded`, or `vendor-timeout` when the deadline came first.
   * @throws ProblemError `body-too-large`, `malformed-request` for an upload's own faults.
   */
  async call(name: OperationName, request: VendorRequest = {}): Promise<VendorAnswer> {
    const startedMs = this.#clock.monotonicMs();
    const report = (status: number, attempts: number): VendorCallReport => {
      const durationUs = Math.round((this.#clock.monotonicMs() - startedMs) * 1_000);
      return { vendor: 'didit', operation: name, status, attempts, durationUs };
    };
    try {
      const { answer, attempts, collapsed } = await this.#pipeline.run(
        OPERATIONS[name],
        wanted(name, request, this.#collapses),
        (sending) => this.#client.send(name, request, sending),
      );
      const ended = report(answer.status, attempts);
      for (const observer of this.#observers) observer.onAnswer?.(ended);
      return { ...answer, attempts, durationUs: ended.durationUs, ...(collapsed ? { collapsed } : {}) };
    } catch (error) {
      if (error instanceof VendorFailure) {
        const { problem, outcome, reason } = error;
        const heldBack = error instanceof VendorRefusal && problem === 'vendor-unavailable';
        const ended = { ...report(error.vendorStatus, error.attempts), problem, outcome, reason, heldBack };
        for (const observer of this.#observers) observer.onFailure?.(ended);
      }
      throw error;
    }
  }

  /** Judges a webhook by its signatures, against the clock. */
  judgeWebhook(raw: Buffer, headers: WebhookHeaders): Verdict {
    return judgeWebhook(raw, headers, this.#webhookSecrets, this.#clock.epochMs());
  }

  /** Tells `observer` of every call from now on. */
  observe(observer: VendorObserver): void {
    this.#observers.push(observer);
  }

  /** Tells `listener` of every breaker that opens or closes from now on. Must be quick and must not throw. */
  onBreaker(listener: (change: BreakerChange) => void): void {
    this.#onBreaker.push(listener);
  }

  /** How the way out to it stands in this instance. */
  state(): VendorState {
    return vendorState('didit', this.#pipeline, this.#budgets, this.#clock);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#metrics.stop();
    this.#budgets.stop();
    await this.#client.close();
  }
}

function wanted(name: OperationName, request: VendorRequest, collapses: boolean): Wanted {
  return {
    client: request.client ?? '',
    priority: request.priority ?? 'background',
    deadlineMs: request.deadlineMs ?? Infinity,
    signal: request.signal,
    key: collapses ? collapseKey(name, request) : undefined,
    spent: isSpent(request),
  };
}

/** Equal reads have equal paths and queries; a body that streams is read once and cannot be shared. */
function collapseKey(name: OperationName, { params, query, body }: VendorRequest): string | undefined {
  const { changes, answer } = OPERATIONS[name];
  if (changes || answer !== 'json' || body !== undefined) return undefined;
  return JSON.stringify([name, params, query]);
}
