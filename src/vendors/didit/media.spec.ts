import { describe, expect, it } from 'vitest';
import { rightsOf } from './media.js';
import { masksWith, PII } from './testing/masks.js';

const masks = masksWith();

describe('media and links', () => {
  const shown = (member: unknown, name = 'unheard_of') =>
    JSON.stringify(masks.answer('session.decision', { id_verifications: [{ [name]: member }] }, PII).value);
  const base64 = Buffer.alloc(300, 7).toString('base64');

  it.each([
    ['https://cdn.test/a'],
    [' HTTPS://cdn.test/a.jpg?X-Amz-Signature=1'],
    ['//cdn.test/a'],
    ['s3://bucket/key'],
    ['data:image/png;base64,AAAA'],
    ['blob:https://x/y'],
    [base64],
    [base64.replace(/(.{76})/g, '$1\r\n')],
    ['/9j/4AAQSkZJRgABAQEASABIAAD'],
    ['iVBORw0KGgoAAAANSUhEUgAAAAE='],
    ['JVBERi0xLjcKJeLjz9MKMSAwIG9iag=='],
    ['see https://cdn.test/a?expires=1&signature=abc for the picture'],
    ['https://verify.vendor.test/es/session/3FaJ9wLqX2Mz'],
    ['open https://id.bank.test/session/3FaJ9wLqX2Mz now'],
  ])('are known by their look: %.40s', (text) => {
    expect(shown(text)).toBe('{"id_verifications":[{}]}');
    expect(shown([text])).toBe('{"id_verifications":[{"unheard_of":[]}]}');
    expect(shown({ deep: { er: text } })).toBe('{"id_verifications":[{"unheard_of":{"deep":{}}}]}');
  });

  it.each(['new_selfie_image', 'selfie', 'face_photo_url', 'front_video', 'document_file', 'files', 'VideoS'])(
    'are known by their name: %s',
    (name) => {
      expect(shown('opaque-handle', name)).toBe('{"id_verifications":[{}]}');
      expect(shown({ width: 3, format: 'png' }, name)).toContain('"width":3');
    },
  );

  it.each(['session_token', 'kyc_session_url', 'share_token', 'secret_shared_key'])('include %s', (name) => {
    expect(shown('opaque', name)).toBe('{"id_verifications":[{}]}');
    const right = { ...PII, link: true };
    expect(masks.answer('session.decision', { [name]: 'opaque' }, right).value).toEqual({ [name]: 'opaque' });
  });

  it.each([
    'Calle Nápoles 227, 1º',
    'IDESPCAA000000499999999R<<<<<<8001014F3106028ESP<<<<<<<<<<<1ESPANOLA<ESPANOLA<<CARMEN<<<<<',
    'The system could not read the code on the document. '.repeat(10),
    'f4ca7a1bd2e2f7f0a3c2b1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0',
    'see https://docs.vendor.test/warnings for more',
    '2026-11-20T10:00:00.000Z',
    '株式会社'.repeat(100),
  ])('are not seen in plain words: %.30s', (text) => {
    expect(shown(text)).toContain(JSON.stringify(text));
  });

  it('are not seen in the client’s own words, unless they are signed or files', () => {
    const metadata = {
      a: 'https://bank.test/x?id=1',
      b: `https://s3.test/x?X-Amz-Signature=1`,
      c: base64,
      image: 'own',
    };
    const { value } = masks.answer('session.decision', { metadata, callback: 'myapp://done' }, PII);
    expect(value).toEqual({ metadata: { a: metadata.a, image: 'own' }, callback: 'myapp://done' });
  });
});

describe('rights', () => {
  it('come from scopes', () => {
    expect(rightsOf(new Set(['pii:read', 'verifications:link']))).toEqual({ pii: true, media: false, link: true });
    expect(rightsOf(new Set(['didit:media']))).toEqual({ pii: false, media: true, link: false });
  });
});
