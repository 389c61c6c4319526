import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { UploadReader } from './upload-reader.js';

const piece = (bytes: number) => Buffer.alloc(bytes, 1);
const whole = (bytes: number) => Readable.from([piece(bytes)], { objectMode: false });

describe('UploadReader', () => {
  it('holds so much at once and no more, and has it back', async () => {
    const reader = new UploadReader(100);
    expect((await reader.read(whole(75), 80, 'a')).length).toBe(75);
    await expect(reader.read(whole(30), 80, 'b')).rejects.toMatchObject({ code: 'overloaded' });
    reader.done(75, 'a');
    await expect(reader.read(whole(81), 80, 'b')).rejects.toMatchObject({ code: 'body-too-large' });
    expect((await reader.read(whole(70), 80, 'b')).length).toBe(70);
  });

  it('leaves room to others, however slowly one client’s uploads come', async () => {
    const reader = new UploadReader(1_000);
    const slow = Array.from({ length: 20 }, () => {
      const body = new PassThrough();
      body.write(piece(90));
      return {
        body,
        end: reader.read(body, 100, 'slow').then(
          ({ length }) => length,
          (error: { code: string }) => error.code,
        ),
      };
    });
    const other = await reader.read(whole(100), 100, 'other');
    reader.done(other.length, 'other');
    for (const { body } of slow) body.end();
    const ends = await Promise.all(slow.map(({ end }) => end));
    expect(ends.filter((end) => end === 90)).toHaveLength(8);
    expect(ends.filter((end) => end === 'overloaded')).toHaveLength(12);
  });

  it('tells a body that ends too early from one that is too large', async () => {
    const body = new PassThrough();
    const read = new UploadReader(100).read(body, 80, 'a');
    body.write(piece(10));
    body.destroy(new Error('aborted'));
    await expect(read).rejects.toMatchObject({ code: 'malformed-request' });
  });
});
