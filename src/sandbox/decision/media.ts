import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

/** Seconds that a link stays good. */
const mediaLifetime = 3_600;

/** Makes the address of one file of a session, by file name. */
export type MediaLinks = (file: string) => string;

/** Links in the manner of presigned object storage: a date, a lifetime and a signature in the query. */
export class MediaSigner {
  readonly #key = randomBytes(32);

  /** Wall clock `at` in epoch milliseconds: two links of the same second are the same. */
  links(origin: string, sessionId: string, at: number): MediaLinks {
    const date = amzDate(at);
    return (file) => {
      const path = `/media/${sessionId}/${file}`;
      const query = new URLSearchParams({
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Date': date,
        'X-Amz-Expires': String(mediaLifetime),
        'X-Amz-SignedHeaders': 'host',
        'X-Amz-Signature': this.#sign(path, date),
      });
      return `${origin}${path}?${query.toString()}`;
    };
  }

  verdict(path: string, query: URLSearchParams, now: number): 'good' | 'expired' | 'forged' {
    const date = query.get('X-Amz-Date') ?? '';
    const given = Buffer.from(query.get('X-Amz-Signature') ?? '');
    const expected = Buffer.from(this.#sign(path, date));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'forged';
    return now > Date.parse(isoOf(date)) + mediaLifetime * 1000 ? 'expired' : 'good';
  }

  #sign(path: string, date: string): string {
    return createHmac('sha256', this.#key).update(`${path}\n${date}\n${mediaLifetime}`).digest('hex');
  }
}

const amzDate = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;

const isoOf = (date: string): string =>
  date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');

/** The bytes behind a link: a picture in a colour of its own, or the opening box of an empty film. */
export const mediaFile = (file: string): { readonly type: string; readonly bytes: Buffer } =>
  file.endsWith('.mp4')
    ? { type: 'video/mp4', bytes: Buffer.from('000000186674797069736f6d0000020069736f6d6d703431', 'hex') }
    : { type: 'image/png', bytes: picture(file) };

const picture = (seed: string, width = 96, height = 128): Buffer => {
  const colour = createHmac('sha256', 'sandbox picture').update(seed).digest().subarray(0, 3);
  const row = Buffer.concat([Buffer.of(0), Buffer.alloc(width * 3, colour)]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(Array.from({ length: height }, () => row)))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
};

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
};
