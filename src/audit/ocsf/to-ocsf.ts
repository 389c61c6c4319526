import type { RecordKind, StoredRecord } from '../record.js';
import { leafHash } from '../tree/merkle.js';
import {
  administration,
  alarm,
  breaker,
  clock,
  drill,
  incident,
  legalHold,
  lifecycle,
  ofTheLog,
  subjectErased,
} from './acts.js';
import { call, counted, refusals } from './calls.js';
import { classified, type Mapped, OCSF_VERSION, OTHER, PRODUCT, type Severity, STATUSES } from './classes.js';
import { actorOf, apiOf, gatewayOf, sourceOf } from './objects.js';
import { intent, outcomeUnknown, transition, upload, vendorCall, webhook, webhookFailed } from './vendor.js';

/** Every kind of record and what it becomes. */
const MAPPERS = {
  call,
  'call.intent': intent,
  'vendor.call': vendorCall,
  'vendor.intent': intent,
  'vendor.breaker-opened': breaker(true),
  'vendor.breaker-closed': breaker(false),
  'verification.transition': transition,
  'upload.kept': upload,
  'webhook.received': webhook('A webhook of the vendor was received.'),
  'webhook.delivered': webhook('A webhook was delivered.'),
  'webhook.not-delivered': webhookFailed,
  'webhook.endpoint': administration,
  'admin.act': administration,
  'auth.failed.counted': counted,
  'incident.act': incident,
  'drill.proposed': drill('proposed'),
  'drill.approved': drill('approved'),
  'drill.started': drill('started'),
  'drill.over': drill('over'),
  'drill.reported': drill('reported'),
  'drill.signed': drill('signed'),
  'gateway.started': lifecycle(3),
  'gateway.stopped': lifecycle(4),
  'gateway.refusals-journal': refusals,
  'subject.erased': subjectErased,
  'log.key': ofTheLog('key'),
  'log.checkpoints': ofTheLog('checkpoints'),
  'log.checkpoint-refused': ofTheLog('refused'),
  'log.origin': ofTheLog('origin'),
  'log.anchored': ofTheLog('anchored'),
  'log.archived': ofTheLog('archived'),
  'log.restored': ofTheLog('restored'),
  'legal-hold.placed': legalHold('placed'),
  'legal-hold.released': legalHold('released'),
  'call.outcome-unknown': outcomeUnknown,
  'clock.measured': clock(false),
  'clock.drift': clock(true),
  'gateway.alarm': alarm,
} satisfies Record<RecordKind, (record: StoredRecord) => Mapped>;

export const RECORD_KINDS = Object.keys(MAPPERS) as RecordKind[];

/** Class, activity and severity of a record. A kind that a newer instance wrote while this one still runs must not stop the way out. */
export function mapRecord(record: StoredRecord): Mapped {
  return Object.hasOwn(MAPPERS, record.kind) ? MAPPERS[record.kind](record) : unknown(record);
}

export function severityOf(record: StoredRecord): Severity {
  return mapRecord(record).severity;
}

function unknown(record: StoredRecord): Mapped {
  return {
    class: 'api-activity',
    activity: OTHER,
    activityName: record.kind,
    severity: 'info',
    status: STATUSES.unknown,
    message: 'A record of a kind that this version does not know.',
    members: {
      actor: actorOf(record),
      api: apiOf(record),
      src_endpoint: sourceOf(record),
      dst_endpoint: gatewayOf(record),
    },
  };
}

/**
 * A record as an event of OCSF 1.8.
 * @param seq number of the record; null while it has none
 * @param bytes the record as it is stored: they stand in `raw_data` letter for letter, so that whoever has the event can compute the
 * leaf hash again (SHA-256 of a zero byte and these bytes, RFC 6962 section 2.1)
 * @param log name of the log; after a restore it is not the one that older records bear
 */
export function toOcsf(seq: number | null, record: StoredRecord, bytes: Buffer, log = record.origin): object {
  const mapped = mapRecord(record);
  return {
    ...classified(mapped),
    time: Date.parse(record.at),
    metadata: {
      version: OCSF_VERSION,
      product: PRODUCT,
      uid: record.id,
      ...(seq === null ? {} : { sequence: seq }),
      log_name: log,
      log_provider: PRODUCT.name,
      event_code: record.kind,
      original_time: record.at,
      ...(record.trace === undefined ? {} : { correlation_uid: record.trace }),
      ...(mapped.profiles === undefined ? {} : { profiles: mapped.profiles }),
    },
    ...mapped.members,
    raw_data: bytes.toString('utf8'),
    unmapped: unmapped(record, bytes),
  };
}

/** What OCSF has no member for, under the record's own names. */
function unmapped(record: StoredRecord, bytes: Buffer): object {
  const { call: id, verification, subject, decision, vendor, detail, instance, kind } = record;
  return {
    gatehouse: { kind, leaf: leafHash(bytes).toString('hex'), instance },
    call: id,
    verification,
    subject,
    decision,
    vendor,
    detail,
  };
}

/** An event of the gateway's own about its log, with what it says in `unmapped.gatehouse`: Application Lifecycle, of no activity that OCSF names. */
export function statementEvent(
  { id, at, origin }: { id: string; at: Date; origin: string },
  { activity, message, severity }: { activity: string; message: string; severity: Severity },
  gatehouse: object,
): object {
  const mapped: Mapped = {
    class: 'application-lifecycle',
    activity: OTHER,
    activityName: activity,
    severity,
    status: STATUSES.success,
    message,
    members: {},
  };
  return {
    ...classified(mapped),
    time: at.getTime(),
    metadata: { version: OCSF_VERSION, product: PRODUCT, uid: id, log_name: origin, log_provider: PRODUCT.name },
    app: PRODUCT,
    unmapped: { gatehouse },
  };
}
