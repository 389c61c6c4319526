import { WebhookEntity } from './webhook.entity.js';

export { WebhooksModule } from './webhooks.module.js';

/** Tables of this module, for the one data source. */
export const webhooksEntities = [WebhookEntity];
