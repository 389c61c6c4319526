import { type DynamicModule, Module, type OnModuleInit } from '@nestjs/common';
import { AuthModule } from '../auth/index.js';
import { ErasableParts, OrchestrationModule, VerificationListeners } from '../orchestration/index.js';
import { type Config, CONFIG, Vault } from '../platform/index.js';
import { Anonymous } from '../policy/index.js';
import { VendorsModule } from '../vendors/index.js';
import { Inbox } from './in/inbox.js';
import { Received } from './in/received.js';
import { ReceivedAdminController } from './in/received.admin.controller.js';
import { WebhookReceiver } from './in/receiver.js';
import { WebhookErasure } from './in/webhook-erasure.js';
import { WebhookWorker } from './in/webhook-worker.js';
import { WebhooksController } from './in/webhooks.controller.js';
import { Deliverer } from './out/deliverer.js';
import { Deliveries } from './out/deliveries.js';
import { DeliveryBook } from './out/delivery-book.js';
import { DeliveryMetrics } from './out/delivery-metrics.js';
import { EndpointHealth } from './out/endpoint-health.js';
import { EndpointStore } from './out/endpoint-store.js';
import { Endpoints } from './out/endpoints.js';
import { EndpointsAdminController } from './out/endpoints.admin.controller.js';
import { EndpointsController } from './out/endpoints.controller.js';
import { Messages } from './out/messages.js';
import { ReceiverAddresses } from './out/receiver-address.js';
import { ReceiverClient } from './out/receiver-client.js';
import { SigningKeys } from './out/signing-keys.js';
import { WebhookEvents } from './out/webhook-events.js';

const receivers = [
  {
    provide: ReceiverAddresses,
    inject: [CONFIG],
    useFactory: ({ webhooks }: Config) => new ReceiverAddresses(webhooks.out.allow),
  },
  {
    provide: ReceiverClient,
    inject: [CONFIG, ReceiverAddresses],
    useFactory: ({ webhooks: { out } }: Config, addresses: ReceiverAddresses) =>
      new ReceiverClient({
        addresses,
        caFile: out.caFile,
        timeoutMs: out.connectTimeout,
        attemptMs: out.timeout,
        // Endpoints that share a host share no bound: one that hangs must not use up the connections of another.
        connections: out.attemptsAtOnce,
      }),
  },
];
const out = [
  ...receivers,
  Deliverer,
  Deliveries,
  DeliveryBook,
  DeliveryMetrics,
  EndpointHealth,
  EndpointStore,
  Endpoints,
  Messages,
  SigningKeys,
  WebhookEvents,
];

/** In from vendors, and out to the firm's systems. */
@Module({
  imports: [AuthModule, VendorsModule, OrchestrationModule],
  providers: [Inbox, Received, WebhookReceiver, WebhookWorker, ...out],
  controllers: [WebhooksController, ReceivedAdminController, EndpointsAdminController, EndpointsController],
  exports: [WebhookEvents],
})
export class WebhooksModule implements OnModuleInit {
  constructor(
    private readonly parts: ErasableParts,
    private readonly listeners: VerificationListeners,
    private readonly events: WebhookEvents,
    private readonly vault: Vault,
  ) {}

  /** With the one count of refused calls an address, which the entrance shares. */
  static with(anonymous: Anonymous): DynamicModule {
    return { module: WebhooksModule, providers: [{ provide: Anonymous, useValue: anonymous }] };
  }

  onModuleInit(): void {
    this.parts.add(new WebhookErasure(this.vault));
    this.listeners.add(this.events);
  }
}
