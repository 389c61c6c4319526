import { createHmac } from 'node:crypto';
import { equalInConstantTime, type Keyring, ProblemError } from '../../platform/index.js';

const ID_BYTES = 16;
const MAC_BYTES = 16;

/**
 * Where a page ended, as an opaque text that only this list for this caller takes back: an id under a MAC over the list's own filters.
 * @param list all that makes the list what it is: its caller and filters.
 */
export function writeCursor(keyring: Keyring, list: readonly string[], lastId: string): string {
  const id = Buffer.from(lastId.replaceAll('-', ''), 'hex');
  return Buffer.concat([id, mac(keyring, list, id)]).toString('base64url');
}

/** @throws ProblemError `invalid-cursor` */
export function readCursor(keyring: Keyring, list: readonly string[], cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  const id = bytes.subarray(0, ID_BYTES);
  const whole = bytes.length === ID_BYTES + MAC_BYTES && bytes.toString('base64url') === cursor;
  if (!whole || !equalInConstantTime(bytes.subarray(ID_BYTES), mac(keyring, list, id)))
    throw new ProblemError('invalid-cursor', { rule: 'cursor.mac' });
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function mac(keyring: Keyring, list: readonly string[], id: Buffer): Buffer {
  const hmac = createHmac('sha256', keyring.key('cursor')).update(JSON.stringify(list)).update(id);
  return hmac.digest().subarray(0, MAC_BYTES);
}
