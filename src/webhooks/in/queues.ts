/** Queues of this module, made by its migration. A job names the webhook by its id in `webhook`. */
export const FOLLOW = 'webhooks.follow';
export const DEAD = 'webhooks.dead';
