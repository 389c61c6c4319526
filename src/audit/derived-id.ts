import { sha256 } from './tree/merkle.js';

/** A UUIDv7 whose random part is drawn from what it names: whoever writes the same record again writes it under the same id. */
export function derivedId(at: string, name: string): string {
  const time = Date.parse(at).toString(16).padStart(12, '0');
  const hash = sha256(Buffer.from(name)).toString('hex');
  const variant = ((Number.parseInt(hash.slice(3, 4), 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
}
