import { type DynamicModule, Module } from '@nestjs/common';
import { OrchestrationModule } from '../orchestration/index.js';
import { Anonymous } from '../policy/index.js';
import { VendorsModule } from '../vendors/index.js';
import { Inbox } from './inbox.js';
import { WebhookReceiver } from './receiver.js';
import { WebhookWorker } from './webhook-worker.js';
import { WebhooksController } from './webhooks.controller.js';

/** In from vendors. */
@Module({
  imports: [VendorsModule, OrchestrationModule],
  providers: [Inbox, WebhookReceiver, WebhookWorker],
  controllers: [WebhooksController],
})
export class WebhooksModule {
  /** With the one count of refused calls an address, which the entrance shares. */
  static with(anonymous: Anonymous): DynamicModule {
    return { module: WebhooksModule, providers: [{ provide: Anonymous, useValue: anonymous }] };
  }
}
