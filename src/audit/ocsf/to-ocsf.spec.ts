import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aRecord } from '../../../test/support/audit.js';
import { recordBytes, type RecordInput, type StoredRecord } from '../record.js';
import { leafHash } from '../tree/merkle.js';
import { OCSF_VERSION, PRODUCT } from './classes.js';
import { RECORD_KINDS, statementEvent, toOcsf } from './to-ocsf.js';

const FRAME = { origin: 'gatehouse.local/log', instance: 'spec' };

/** Required members of OCSF 1.8, with the constraints of which one of several must be there. */
const one = (...names: string[]) =>
  z.looseObject({}).refine((value) => names.some((name) => Object.hasOwn(value, name)), {
    error: `needs one of ${names.join(', ')}`,
  });
const user = one('account', 'name', 'uid');
const actor = one('process', 'user', 'session', 'app_name', 'app_uid').and(z.looseObject({ user: user.optional() }));
const endpoint = one('ip', 'uid', 'name', 'hostname', 'svc_name', 'instance_uid');
const api = z.looseObject({ operation: z.string().min(1), service: one('name', 'uid').optional() });
const findingInfo = z.looseObject({
  uid: z.string(),
  title: z.string(),
  analytic: z.looseObject({ type_id: z.int() }).and(one('name', 'uid')).optional(),
});
const base = z.looseObject({
  activity_id: z.int(),
  activity_name: z.string().min(1),
  category_uid: z.int(),
  class_uid: z.int(),
  type_uid: z.int(),
  severity_id: z.int().min(1).max(5),
  status_id: z.int(),
  time: z.int().positive(),
  message: z.string().min(1),
  metadata: z.looseObject({
    version: z.literal(OCSF_VERSION),
    product: z.looseObject({ name: z.string(), vendor_name: z.string() }),
    uid: z.string(),
    log_name: z.string(),
  }),
  http_request: z.looseObject({ http_method: z.string(), url: one('path', 'url_string') }).optional(),
  http_response: z.looseObject({ code: z.int() }).optional(),
  action_id: z.literal([0, 1, 2]).optional(),
});
const CLASSES: Record<number, z.ZodType> = {
  6003: z.looseObject({ actor, api, src_endpoint: endpoint, activity_id: z.literal([1, 2, 3, 4, 99]) }),
  3002: z.looseObject({ user, activity_id: z.literal(1) }).and(one('service', 'dst_endpoint')),
  2004: z.looseObject({
    finding_info: findingInfo,
    activity_id: z.literal([1, 2, 3]),
    status_id: z.literal(1),
    evidences: z.array(one('actor', 'api', 'src_endpoint')).min(1),
  }),
  2005: z
    .looseObject({
      finding_info_list: z.array(findingInfo).min(1),
      activity_id: z.literal([1, 2, 3]),
      status_id: z.literal([1, 2, 3, 4, 5]),
    })
    .and(one('assignee', 'assignee_group')),
  3004: z.looseObject({ entity: one('name', 'uid'), activity_id: z.literal([1, 2, 3, 4]) }),
  6002: z.looseObject({
    app: z.looseObject({ name: z.string(), vendor_name: z.string() }),
    activity_id: z.literal([3, 4, 99]),
  }),
};

type Event = z.infer<typeof base> & Record<string, unknown>;

/** The event, held to what OCSF requires of it. */
function checked(event: object): Event {
  const known = base.parse(event);
  const own = CLASSES[known.class_uid];
  expect(own, `class ${known.class_uid}`).toBeDefined();
  own?.parse(event);
  expect(known.type_uid).toBe(known.class_uid * 100 + known.activity_id);
  expect(known.category_uid).toBe(Math.floor(known.class_uid / 1_000));
  return known as Event;
}

function eventOf(over: Partial<RecordInput>, seq: number | null = 7): Event {
  const bytes = recordBytes(aRecord(over), FRAME);
  return checked(toOcsf(seq, JSON.parse(bytes.toString()) as StoredRecord, bytes));
}

const EXPECTED: Record<string, number> = {
  call: 6003,
  'call.intent': 6003,
  'vendor.call': 6003,
  'vendor.intent': 6003,
  'vendor.breaker-opened': 6002,
  'vendor.breaker-closed': 6002,
  'verification.transition': 6003,
  'upload.kept': 6003,
  'webhook.received': 6003,
  'webhook.delivered': 6003,
  'webhook.not-delivered': 6003,
  'webhook.endpoint': 3004,
  'admin.act': 3004,
  'auth.failed.counted': 3002,
  'incident.act': 2005,
  'drill.proposed': 3004,
  'drill.approved': 3004,
  'drill.started': 3004,
  'drill.over': 3004,
  'drill.reported': 3004,
  'drill.signed': 3004,
  'gateway.started': 6002,
  'gateway.stopped': 6002,
  'gateway.refusals-journal': 6003,
  'subject.erased': 3004,
  'log.key': 3004,
  'log.checkpoints': 3004,
  'log.checkpoint-refused': 3004,
  'log.origin': 3004,
  'log.anchored': 3004,
  'log.archived': 3004,
  'log.restored': 3004,
  'legal-hold.placed': 3004,
  'legal-hold.released': 3004,
  'call.outcome-unknown': 6003,
  'clock.measured': 6002,
  'clock.drift': 6002,
  'gateway.alarm': 6002,
};

const BARE: Partial<RecordInput> = {
  client: undefined,
  credential: undefined,
  trace: undefined,
  verification: undefined,
  subject: undefined,
  http: undefined,
  decision: undefined,
  vendor: undefined,
};

describe('every kind of record', () => {
  it('is told here', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual([...RECORD_KINDS].sort());
  });

  it.each(RECORD_KINDS)('%s is an event of its class, with all its members and with none but the required', (kind) => {
    expect(eventOf({ kind }).class_uid).toBe(EXPECTED[kind]);
    expect(eventOf({ kind, ...BARE }).class_uid).toBe(EXPECTED[kind]);
  });

  it('goes out even when this version does not know it', () => {
    expect(eventOf({ kind: 'of.tomorrow' as RecordInput['kind'] }).class_uid).toBe(6003);
  });
});

describe('an event', () => {
  it('holds the record letter for letter, its number, its log and its leaf hash', () => {
    const record = aRecord({ detail: { text: 'é🦊\u2028"\\' } });
    const bytes = recordBytes(record, FRAME);
    const event = checked(toOcsf(7, JSON.parse(bytes.toString()) as StoredRecord, bytes));
    expect(Buffer.from(event['raw_data'] as string)).toEqual(bytes);
    expect(event.metadata).toMatchObject({
      uid: record.id,
      sequence: 7,
      log_name: FRAME.origin,
      correlation_uid: record.trace,
      product: PRODUCT,
    });
    expect(event['unmapped']).toMatchObject({ gatehouse: { leaf: leafHash(bytes).toString('hex') } });
    expect(event.time).toBe(Date.parse(record.at));
    expect(eventOf({}, null).metadata).not.toHaveProperty('sequence');
  });

  it('names the version of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(PRODUCT.version).toBe(version);
  });
});

const denied = (rule: string, status: number, route = '/v1/verifications'): Event =>
  eventOf({
    http: { method: 'POST', route, status, address: '192.0.2.1' },
    decision: { id: 'd', outcome: 'deny', rule, reason: 'because' },
  });

describe('a call', () => {
  it.each([
    ['GET', 600302],
    ['POST', 600301],
    ['PATCH', 600303],
    ['DELETE', 600304],
    ['OPTIONS', 600399],
  ])('%s has its activity', (method, type) => {
    expect(eventOf({ http: { method, route: '/v1/x', status: 200 } })).toMatchObject({ type_uid: type, status_id: 1 });
  });

  it.each(['auth.key-unknown', 'auth.token-expired', 'auth.missing'])(
    'denied by %s is a failed authentication',
    (rule) => {
      expect(denied(rule, 401)).toMatchObject({
        class_uid: 3002,
        status_id: 2,
        action_id: 2,
        status_detail: `${rule}: because`,
      });
    },
  );

  it('for a token is an authentication', () => {
    const token = (status: number) => eventOf({ http: { method: 'POST', route: '/oauth/token', status } });
    expect(token(200)).toMatchObject({ class_uid: 3002, status_id: 1 });
    expect(token(401)).toMatchObject({ class_uid: 3002, status_id: 2 });
  });

  it.each([
    ['address.denied', 403, 3],
    ['address.not-allowed', 403, 3],
    ['agent.denied', 403, 3],
    ['rate.client', 429, 3],
    ['auth.address', 429, 3],
    ['webhook.signature', 401, 4],
  ])('refused by %s is a detection', (rule, status, severity) => {
    expect(denied(rule, status)).toMatchObject({
      class_uid: 2004,
      severity_id: severity,
      is_alert: true,
      disposition_id: 2,
      finding_info: { analytic: { uid: rule } },
      evidences: [{ src_endpoint: { ip: '192.0.2.1' } }],
    });
  });

  it('refused for what it asks is a failed activity', () => {
    expect(denied('scope.missing', 403)).toMatchObject({ class_uid: 6003, status_id: 2, severity_id: 2 });
    expect(denied('audit.durable', 503)).toMatchObject({ class_uid: 6003, status_id: 2, severity_id: 3 });
  });
});

describe('an incident', () => {
  it.each([
    ['opened', 'assessing', 200501, 1, 3],
    ['classified', 'major', 200502, 2, 4],
    ['closed', 'closed', 200503, 5, 3],
  ])('%s, %s', (act, state, type, status, severity) => {
    const event = eventOf({ ...BARE, kind: 'incident.act', detail: { act, state, incident: 'i', reference: 'INC-1' } });
    expect(event).toMatchObject({ type_uid: type, status_id: status, severity_id: severity });
  });
});

describe('an act of an administrator', () => {
  it.each([
    ['client.created', 300401],
    ['client.changed', 300403],
    ['client.key-revoked', 300404],
  ])('%s', (act, type) => {
    const event = eventOf({ ...BARE, kind: 'admin.act', actor: 'a', detail: { act } });
    expect(event).toMatchObject({ type_uid: type, actor: { user: { uid: 'a', type_id: 2 } } });
  });
});

describe('a statement', () => {
  it('is an event too', () => {
    const about = { activity: 'Batch of records', message: 'A batch.', severity: 'info' as const };
    const event = checked(statementEvent({ id: 'batch-0-1', at: new Date(1), origin: 'o' }, about, { batch: {} }));
    expect(event).toMatchObject({ type_uid: 600299, unmapped: { gatehouse: { batch: {} } } });
  });
});
