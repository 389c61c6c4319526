import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from '@fast-check/vitest';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../platform/index.js';
import { reencode } from './form.js';

const BOUNDARY = 'caller-boundary';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const MAX = 1_000_000;

const hex = (bytes: Buffer | Uint8Array) => Buffer.from(bytes).toString('hex');

interface Given {
  name: string;
  filename?: string;
  bytes: Buffer;
}

function formOf(parts: readonly Given[]): Buffer {
  const pieces = parts.flatMap(({ name, filename, bytes }) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: image/jpeg`}\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

function inPieces(bytes: Buffer, size: number): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces, { objectMode: false });
}

async function through(bytes: Buffer, size = 65_536, maxBytes = MAX): Promise<Given[]> {
  const { stream, contentType } = reencode(inPieces(bytes, size), TYPE, {
    maxBytes,
    change: new Map([['vendor_data', (value: string) => `ns:${value}`]]),
  });
  const form = await new Response(await buffer(stream), { headers: { 'content-type': contentType } }).formData();
  const parts: Given[] = [];
  for (const [name, value] of form) {
    if (typeof value === 'string') parts.push({ name, bytes: Buffer.from(value) });
    else parts.push({ name, filename: value.name, bytes: Buffer.from(await value.arrayBuffer()) });
  }
  return parts;
}

const fileBytes = fc.oneof(
  fc.uint8Array({ maxLength: 4_096 }),
  // Texts that look like the form's own delimiters.
  fc
    .array(fc.constantFrom('\r\n', '--', BOUNDARY, '\r', '\n', `\r\n--${BOUNDARY.slice(0, 5)}`, 'x', '\0'), {
      maxLength: 40,
    })
    .map((pieces) => Buffer.from(pieces.join('').replaceAll(`--${BOUNDARY}`, ''))),
);
const word = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_.ñ é-]{1,20}$/),
  fc.constantFrom('constructor', '__proto__', 'toString'),
);
const part = fc.oneof(
  fc.record({ name: word, filename: word, bytes: fileBytes.map((bytes) => Buffer.from(bytes)) }),
  fc.record({ name: word, bytes: fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => Buffer.from(text)) }),
);

test.prop([fc.array(part, { maxLength: 8 }), fc.integer({ min: 1, max: 700 })])(
  'keeps names, order and the bytes of every part, however they arrive',
  async (parts, size) => {
    fc.pre(parts.every(({ bytes, name }) => !bytes.includes(`--${BOUNDARY}`) && name !== 'vendor_data'));
    const seen = await through(formOf(parts), size);
    expect(seen.map(({ name, filename }) => [name, filename])).toEqual(
      (parts as Given[]).map(({ name, filename }) => [name, filename]),
    );
    expect(seen.map(({ bytes }) => hex(bytes))).toEqual(parts.map(({ bytes }) => hex(bytes)));
  },
);

async function failure(bytes: Buffer, maxBytes = MAX): Promise<string | undefined> {
  return through(bytes, 1_000, maxBytes).then(
    () => undefined,
    (error: unknown) => (error instanceof ProblemError ? error.code : String(error)),
  );
}

describe('reencode', () => {
  it('changes the fields that it is told to, every one of that name', async () => {
    const parts = await through(
      formOf([
        { name: 'vendor_data', bytes: Buffer.from('cust-42') },
        { name: 'user_image', filename: 'a.jpg', bytes: Buffer.from([1, 2, 3]) },
        { name: 'vendor_data', bytes: Buffer.from('') },
      ]),
    );
    expect(parts.map(({ name, bytes }) => [name, name === 'user_image' ? hex(bytes) : bytes.toString()])).toEqual([
      ['vendor_data', 'ns:cust-42'],
      ['user_image', '010203'],
      ['vendor_data', 'ns:'],
    ]);
  });

  it('passes on a large file without holding it', async () => {
    const size = 24 * 1024 * 1024;
    let given = 0;
    const head = Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="user_image"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`,
    );
    const source = Readable.from(
      (function* () {
        yield head;
        for (; given < size; given += 65_536) yield Buffer.alloc(65_536, 120);
        yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
      })(),
      { objectMode: false },
    );
    const { stream } = reencode(source, TYPE, { maxBytes: size + 1_000, change: new Map() });
    let taken = 0;
    let most = 0;
    for await (const chunk of stream) {
      taken += (chunk as Buffer).length;
      most = Math.max(most, given - taken);
    }
    expect(taken).toBeGreaterThan(size);
    expect(most).toBeLessThan(1_048_576);
  });

  it('refuses a file in place of a field that it changes', async () => {
    expect(await failure(formOf([{ name: 'vendor_data', filename: 'x', bytes: Buffer.from('other-client') }]))).toBe(
      'malformed-request',
    );
  });

  it('refuses a form that ends too early, inside a file or between parts', async () => {
    const whole = formOf([{ name: 'user_image', filename: 'a.jpg', bytes: Buffer.alloc(5_000, 1) }]);
    expect(await failure(whole.subarray(0, 3_000))).toBe('malformed-request');
    expect(await failure(whole.subarray(0, whole.length - 6))).toBe('malformed-request');
    expect(await failure(Buffer.from('no form at all'))).toBe('malformed-request');
  });

  it('refuses what is too large', async () => {
    const file = (length: number) => ({ name: 'user_image', filename: 'a.jpg', bytes: Buffer.alloc(length, 1) });
    expect(await failure(formOf([file(50_000)]), 20_000)).toBe('body-too-large');
    expect(await failure(formOf([{ name: 'metadata', bytes: Buffer.alloc(20_000, 97) }]))).toBe('body-too-large');
    expect(await failure(formOf(Array.from({ length: 9 }, () => file(1))))).toBe('body-too-large');
    expect(await failure(formOf(Array.from({ length: 41 }, () => ({ name: 'a', bytes: Buffer.from('b') }))))).toBe(
      'body-too-large',
    );
  });

  it('refuses a content type without a boundary', () => {
    expect(() =>
      reencode(Readable.from([]), 'multipart/form-data; charset=utf-8', { maxBytes: 1, change: new Map() }),
    ).toThrow('malformed-request');
  });

  it.each([
    ['between parts', ''],
    ['in a field', '\r\nContent-Disposition: form-data; name="a"\r\n\r\nhalf'],
    ['in a file', '\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nhalf'],
  ])('fails when the caller goes away %s', async (_, text) => {
    const source = new Readable({ read: () => undefined });
    const { stream } = reencode(source, TYPE, { maxBytes: MAX, change: new Map() });
    const read = buffer(stream).catch((error: unknown) => error);
    source.push(`--${BOUNDARY}${text}`);
    await new Promise((resolve) => setImmediate(resolve));
    source.destroy();
    expect(await read).toMatchObject({ code: 'malformed-request' });
  });

  it('fails in the middle of a file that is too large, and lets the rest run out', async () => {
    const source = new Readable({ read: () => undefined });
    const { stream } = reencode(source, TYPE, { maxBytes: 2_000, change: new Map() });
    const read = buffer(stream).catch((error: unknown) => error);
    source.push(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n`);
    for (let round = 0; round < 40; round += 1) {
      source.push(Buffer.alloc(1_000, 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const ended = once(source, 'end');
    source.push(null);
    expect(await read).toMatchObject({ code: 'body-too-large' });
    await ended;
  });
});
