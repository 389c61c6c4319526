import { randomFillSync } from 'node:crypto';

const POOL = Buffer.alloc(4096);
let offset = POOL.length;
let lastMs = 0;
let counter = 0;

/** Random bytes out of a pool filled once in a while: one call to the system's source for hundreds of ids. Not for keys. */
export function random(bytes: number): Buffer {
  if (offset + bytes > POOL.length) {
    randomFillSync(POOL);
    offset = 0;
  }
  const slice = POOL.subarray(offset, offset + bytes);
  offset += bytes;
  return slice;
}

/**
 * A UUIDv7 (RFC 9562 section 5.7) in lower case. Within one process ids never decrease: the 12 bits after the time are a counter
 * that starts at random each millisecond (section 6.2, method 1) and, when full, borrows from the next millisecond.
 */
export function uuidv7(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = random(2).readUInt16BE() & 0x3ff;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  const tail = random(8);
  const time = lastMs.toString(16).padStart(12, '0');
  const variant = (0x8000 | (tail.readUInt16BE(0) & 0x3fff)).toString(16);
  const middle = (0x7000 | counter).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-${middle}-${variant}-${tail.toString('hex', 2)}`;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Lower case only: the vendor's routes and ours treat an upper-case UUID as no id at all. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Below every UUIDv7 of that millisecond and later, above those before: ids stand in for instants where no instant is kept. */
export function uuidv7Floor(epochMs: number): string {
  const time = epochMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
