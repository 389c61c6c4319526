import { createHmac } from 'node:crypto';
import { equalInConstantTime, type Keyring, ProblemError } from '../platform/index.js';
import type { Place, RecordFilter } from './search.js';

const PLACE_BYTES = 24;
const MAC_BYTES = 16;
/** What is wrong with a cursor that a list did not give out. */
export const NOT_OURS = { pointer: '/cursor', message: 'must be one that this list gave out' };
const RECORDS = 'audit.records';

/** A place in one list as an opaque text, under a MAC over the list's name and filters: only this list takes it back. */
export function writeCursor(keyring: Keyring, filter: RecordFilter, place: Place, list = RECORDS): string {
  const bytes = Buffer.alloc(PLACE_BYTES);
  bytes.writeBigInt64BE(BigInt(place.at.getTime()));
  bytes.write(place.id.replaceAll('-', ''), 8, 'hex');
  return Buffer.concat([bytes, mac(keyring, filter, bytes, list)]).toString('base64url');
}

/** @throws ProblemError `invalid-cursor` */
export function readCursor(keyring: Keyring, filter: RecordFilter, cursor: string, list = RECORDS): Place {
  const all = Buffer.from(cursor, 'base64url');
  const bytes = all.subarray(0, PLACE_BYTES);
  const whole = all.length === PLACE_BYTES + MAC_BYTES && all.toString('base64url') === cursor;
  if (!whole || !equalInConstantTime(all.subarray(PLACE_BYTES), mac(keyring, filter, bytes, list)))
    throw new ProblemError('invalid-cursor', { rule: 'cursor.mac', errors: [NOT_OURS] });
  const id = bytes.toString('hex', 8).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  return { at: new Date(Number(bytes.readBigInt64BE())), id };
}

function mac(keyring: Keyring, filter: RecordFilter, bytes: Buffer, list: string): Buffer {
  const members = Object.entries(filter).filter(([, value]) => value !== undefined);
  const text = JSON.stringify([list, ...members.sort(([a], [b]) => (a < b ? -1 : 1))]);
  return createHmac('sha256', keyring.key('cursor')).update(text).update(bytes).digest().subarray(0, MAC_BYTES);
}
