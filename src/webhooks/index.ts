import { WebhookEntity } from './in/webhook.entity.js';

export { WebhookErasure } from './in/webhook-erasure.js';
export { WebhooksModule } from './webhooks.module.js';

/** Tables of this module, for the one data source. */
export const webhooksEntities = [WebhookEntity];
