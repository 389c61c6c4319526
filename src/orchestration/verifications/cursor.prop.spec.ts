import { test } from '@fast-check/vitest';
import fc from 'fast-check';
import { expect } from 'vitest';
import { Keyring } from '../../platform/index.js';
import { readCursor, writeCursor } from './cursor.js';

const keyring = new Keyring(Buffer.alloc(32, 1));
const list = fc.array(fc.string(), { maxLength: 5 });

test.prop([fc.uuid(), list])('gives back the id that it was made of', (id, filters) => {
  expect(readCursor(keyring, filters, writeCursor(keyring, filters, id))).toBe(id);
});

test.prop([fc.uuid(), list, list])('is no cursor of another list', (id, mine, other) => {
  fc.pre(JSON.stringify(mine) !== JSON.stringify(other));
  expect(() => readCursor(keyring, other, writeCursor(keyring, mine, id))).toThrow('invalid-cursor');
});

test.prop([fc.oneof(fc.string(), fc.base64String())])('takes nothing that it did not make', (text) => {
  expect(() => readCursor(keyring, [], text)).toThrow('invalid-cursor');
});

test.prop([fc.uuid(), fc.nat(31), fc.integer({ min: 1, max: 255 })])('notices any changed byte', (id, at, flip) => {
  const bytes = Buffer.from(writeCursor(keyring, ['client'], id), 'base64url');
  bytes[at] = (bytes[at] ?? 0) ^ flip;
  expect(() => readCursor(keyring, ['client'], bytes.toString('base64url'))).toThrow('invalid-cursor');
});
