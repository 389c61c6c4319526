import { createHash } from 'node:crypto';
import type { Settings } from './settings.js';

/**
 * What tells one sandbox from another without giving its secrets away: a digest of what gateway and sandbox must agree on.
 * A process id proves nothing, since the system gives it out again.
 */
export const identityOf = (settings: Pick<Settings, 'apiKey' | 'workflowId' | 'webhookSecret'>): string =>
  createHash('sha256')
    .update(JSON.stringify(['didit-sandbox', settings.apiKey, settings.workflowId, settings.webhookSecret]))
    .digest('hex');
