import { type DynamicModule, Module, type OnModuleInit } from '@nestjs/common';
import { ErasableParts, OrchestrationModule } from '../orchestration/index.js';
import { Anonymous } from '../policy/index.js';
import { VendorsModule } from '../vendors/index.js';
import { Vault } from '../platform/index.js';
import { Inbox } from './inbox.js';
import { WebhookReceiver } from './receiver.js';
import { WebhookErasure } from './webhook-erasure.js';
import { WebhookWorker } from './webhook-worker.js';
import { WebhooksController } from './webhooks.controller.js';

/** In from vendors. */
@Module({
  imports: [VendorsModule, OrchestrationModule],
  providers: [Inbox, WebhookReceiver, WebhookWorker],
  controllers: [WebhooksController],
})
export class WebhooksModule implements OnModuleInit {
  constructor(
    private readonly parts: ErasableParts,
    private readonly vault: Vault,
  ) {}

  /** With the one count of refused calls an address, which the entrance shares. */
  static with(anonymous: Anonymous): DynamicModule {
    return { module: WebhooksModule, providers: [{ provide: Anonymous, useValue: anonymous }] };
  }

  onModuleInit(): void {
    this.parts.add(new WebhookErasure(this.vault));
  }
}
