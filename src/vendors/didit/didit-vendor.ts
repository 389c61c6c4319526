import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, type Config, CONFIG, ConfigError, Keyring, type Secret } from '../../platform/index.js';
import type { VendorAnswer } from './answer.js';
import { DiditClient, type VendorObserver, type VendorRequest } from './client.js';
import { ApiKeyCredential } from './credential.js';
import { Detours } from './detours.js';
import { DiditMasks } from './masks.js';
import type { OperationName } from './operations.js';
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
  readonly #clock: Clock;
  readonly #webhookSecrets: readonly Secret[];
  readonly #observers: VendorObserver[] = [];

  /** @throws ConfigError naming the setting when the vendor cannot be called with what is given. */
  constructor(@Inject(CONFIG) config: Config, clock: Clock, keyring: Keyring, detours: Detours) {
    const { didit } = config.vendors;
    if (didit.baseUrl === undefined) throw new ConfigError('is not set', 'DIDIT_BASE_URL');
    const keys = didit.credential.from;
    if (keys === undefined) throw new ConfigError('is not set', 'DIDIT_API_KEY');
    this.#clock = clock;
    this.#webhookSecrets = didit.webhookSecret ?? [];
    this.prices = new PriceList(didit.prices.currency, didit.prices.operations);
    this.workflowId = config.workflows.onboarding.workflowId;
    this.masks = new DiditMasks(config.policy.masks.didit, (path, value) =>
      keyring.pseudonym('field-pseudonym', 'didit', path, value),
    );
    this.#client = new DiditClient({
      baseUrl: didit.baseUrl,
      hosts: didit.hosts,
      credential: new ApiKeyCredential(keys),
      timeouts: didit.timeouts,
      connections: didit.connections,
      clock,
      detours,
      observer: {
        onAnswer: (report) => this.#observers.forEach((observer) => observer.onAnswer?.(report)),
        onFailure: (report) => this.#observers.forEach((observer) => observer.onFailure?.(report)),
      },
      ...(didit.caFile === undefined ? {} : { caFile: didit.caFile }),
    });
  }

  /** Makes one call; see `DiditClient.call`. */
  call(operation: OperationName, request: VendorRequest = {}): Promise<VendorAnswer> {
    return this.#client.call(operation, request);
  }

  /** Judges a webhook by its signatures, against the clock. */
  judgeWebhook(raw: Buffer, headers: WebhookHeaders): Verdict {
    return judgeWebhook(raw, headers, this.#webhookSecrets, this.#clock.epochMs());
  }

  /** Tells `observer` of every call from now on. */
  observe(observer: VendorObserver): void {
    this.#observers.push(observer);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#client.close();
  }
}
