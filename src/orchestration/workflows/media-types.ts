import type { MediaType } from './step-operations.js';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const JPEG = Buffer.from([0xff, 0xd8, 0xff]);
const PDF = Buffer.from('%PDF-');
const RIFF = Buffer.from('RIFF');
const WEBP = Buffer.from('WEBP');

const begins = (bytes: Buffer, mark: Buffer, at = 0): boolean => bytes.subarray(at, at + mark.length).equals(mark);

/** By the first bytes, whatever anybody calls it; undefined for everything that no upload can be. */
export function mediaTypeOf(bytes: Buffer): MediaType | undefined {
  if (begins(bytes, JPEG)) return 'image/jpeg';
  if (begins(bytes, PNG)) return 'image/png';
  if (begins(bytes, RIFF) && begins(bytes, WEBP, 8)) return 'image/webp';
  return begins(bytes, PDF) ? 'application/pdf' : undefined;
}
