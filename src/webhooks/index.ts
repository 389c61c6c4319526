import { WebhookEntity } from './webhook.entity.js';

export { WebhookErasure } from './webhook-erasure.js';
export { WebhooksModule } from './webhooks.module.js';

/** Tables of this module, for the one data source. */
export const webhooksEntities = [WebhookEntity];
