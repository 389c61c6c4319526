import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { HoldLast } from './hold-last.js';

describe('HoldLast', () => {
  it('gives every byte once the record is durable', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), async (pieces) => {
        const buffers = pieces.map((piece) => Buffer.from(piece));
        let counted = -1;
        const holder = new HoldLast((bytes) => {
          counted = bytes;
          return Promise.resolve();
        });
        expect(await text(Readable.from(buffers).pipe(holder))).toBe(Buffer.concat(buffers).toString());
        expect(counted).toBe(Buffer.concat(buffers).length);
      }),
    );
  });

  it('never lets the last piece go when the record cannot be written', async () => {
    const holder = new HoldLast(() => Promise.reject(new Error('no log')));
    let seen = '';
    const ended = new Promise<Error>((resolve) => holder.once('error', resolve));
    holder.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    Readable.from([Buffer.from('first'), Buffer.from('last')]).pipe(holder);
    expect((await ended).message).toBe('no log');
    expect(seen).toBe('first');
  });
});
