import type { Config } from '../../platform/index.js';
import type { RecordInput } from '../record.js';

type RecordKind = RecordInput['kind'];
type RetentionClass = keyof Config['audit']['retention'];

/** Every kind has its class: a new one does not compile without. */
const CLASSES = {
  call: 'calls',
  'call.intent': 'calls',
  'call.outcome-unknown': 'calls',
  'vendor.call': 'calls',
  'vendor.intent': 'calls',
  'vendor.breaker-opened': 'calls',
  'vendor.breaker-closed': 'calls',
  'verification.transition': 'calls',
  'upload.kept': 'calls',
  'auth.failed.counted': 'access',
  'webhook.received': 'webhooks',
  'webhook.delivered': 'webhooks',
  'webhook.not-delivered': 'webhooks',
  'webhook.endpoint': 'administration',
  'admin.act': 'administration',
  'subject.erased': 'administration',
  'legal-hold.placed': 'administration',
  'legal-hold.released': 'administration',
  'incident.act': 'incidents',
  'drill.proposed': 'incidents',
  'drill.approved': 'incidents',
  'drill.started': 'incidents',
  'drill.over': 'incidents',
  'drill.reported': 'incidents',
  'drill.signed': 'incidents',
  'gateway.started': 'log',
  'gateway.stopped': 'log',
  'gateway.refusals-journal': 'log',
  'log.key': 'log',
  'log.checkpoints': 'log',
  'log.checkpoint-refused': 'log',
  'log.origin': 'log',
  'log.anchored': 'log',
  'log.archived': 'log',
  'log.restored': 'log',
  'clock.measured': 'log',
  'clock.drift': 'log',
  'gateway.alarm': 'log',
} as const satisfies Record<RecordKind, RetentionClass>;

/** Seconds that the records of each kind stay in the database. */
export type Keep = Readonly<Record<string, number>>;

export function keepOf(retention: Config['audit']['retention']): Keep {
  return Object.fromEntries(Object.entries(CLASSES).map(([kind, name]) => [kind, retention[name] / 1_000]));
}
