import type { StoredRecord } from '../record.js';
import { PRODUCT } from './classes.js';

/** Objects of OCSF made of the parts of a record. */

const ACCOUNT = {
  unknown: { type_id: 0, type: 'Unknown' },
  administrator: { type_id: 2, type: 'Admin' },
  system: { type_id: 3, type: 'System' },
  service: { type_id: 4, type: 'Service' },
} as const;

/** The one who is known by the record: an administrator, a client, the gateway itself in its background work, or nobody. */
export function userOf(record: StoredRecord): object {
  const credential = record.credential === undefined ? {} : { credential_uid: record.credential };
  if (record.actor !== undefined) return { uid: record.actor, ...ACCOUNT.administrator, ...credential };
  if (record.client !== undefined) return { uid: record.client, ...ACCOUNT.service, ...credential };
  if (record.http === undefined && record.kind !== 'auth.failed.counted')
    return { uid: record.instance, name: PRODUCT.name, ...ACCOUNT.system };
  return { name: 'anonymous', ...ACCOUNT.unknown, ...credential };
}

export function actorOf(record: StoredRecord): object {
  return { user: userOf(record), ...(record.client === undefined ? {} : { app_uid: record.client }) };
}

/** Where it came from: the caller's address, or this instance. */
export function sourceOf(record: StoredRecord): object {
  const address = record.http?.address ?? textOf(record, 'address');
  return address === undefined ? gatewayOf(record) : { ip: address };
}

export function gatewayOf(record: StoredRecord): object {
  return { svc_name: PRODUCT.name, instance_uid: record.instance };
}

export function httpOf(record: StoredRecord): object {
  const { http } = record;
  if (http === undefined) return {};
  return {
    http_request: {
      http_method: http.method,
      // The route's template: a path can name a person.
      url: { path: http.route },
      uid: record.id,
      ...(http.agent === undefined ? {} : { user_agent: http.agent }),
      ...(http.bytesIn === undefined ? {} : { length: http.bytesIn }),
    },
    http_response: {
      code: http.status,
      ...(http.bytesOut === undefined ? {} : { length: http.bytesOut }),
      ...(http.durationUs === undefined ? {} : { latency: Math.round(http.durationUs / 1_000) }),
    },
  };
}

/** The call as an operation of the gateway's own API. */
export function apiOf(record: StoredRecord): object {
  const operation = record.http === undefined ? record.kind : `${record.http.method} ${record.http.route}`;
  return {
    operation,
    service: { name: PRODUCT.name },
    request: { uid: record.call ?? record.id },
    ...(record.http === undefined ? {} : { response: { code: record.http.status } }),
  };
}

/** What an API Activity has of a call to the gateway. */
export function callMembers(record: StoredRecord): object {
  return {
    actor: actorOf(record),
    api: apiOf(record),
    src_endpoint: sourceOf(record),
    dst_endpoint: gatewayOf(record),
    ...httpOf(record),
  };
}

/** A text of the record's detail. */
export function textOf(record: StoredRecord, name: string): string | undefined {
  const value = record.detail?.[name];
  return typeof value === 'string' ? value : undefined;
}

/** A whole number of the record's detail. */
export function numberOf(record: StoredRecord, name: string): number | undefined {
  const value = record.detail?.[name];
  return typeof value === 'number' ? value : undefined;
}
