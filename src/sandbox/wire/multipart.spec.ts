import { describe, expect, it } from 'vitest';
import { readForm } from './multipart.js';

const encode = async (form: FormData): Promise<{ body: Buffer; type: string }> => {
  const request = new Response(form);
  return { body: Buffer.from(await request.arrayBuffer()), type: request.headers.get('content-type') ?? '' };
};

describe('readForm', () => {
  it('tells fields from files and measures the files', async () => {
    const form = new FormData();
    form.set('vendor_data', 'Zoë-1');
    form.set('user_image', new File([Buffer.alloc(2_000_000, 7)], 'selfie.jpg', { type: 'image/jpeg' }));
    const { body, type } = await encode(form);
    const read = await readForm(body, type);
    expect(read?.fields.get('vendor_data')).toBe('Zoë-1');
    expect(read?.files.get('user_image')).toEqual({ name: 'selfie.jpg', type: 'image/jpeg', size: 2_000_000 });
    expect(read?.fields.has('user_image')).toBe(false);
  });

  it('lets the last of a name win', async () => {
    const form = new FormData();
    form.append('a', '1');
    form.append('a', '2');
    const { body, type } = await encode(form);
    expect((await readForm(body, type))?.fields.get('a')).toBe('2');
  });

  it.each([
    ['no content type', undefined],
    ['another content type', 'application/json'],
    ['no boundary', 'multipart/form-data; charset=utf-8'],
    ['a boundary that is not in the body', 'multipart/form-data; boundary=other'],
  ])('refuses %s', async (_name, type) => {
    const { body } = await encode(new FormData());
    expect(await readForm(body, type)).toBeNull();
  });

  it('refuses a body cut short', async () => {
    const form = new FormData();
    form.set('user_image', new File([Buffer.alloc(1000)], 'selfie.jpg'));
    const { body, type } = await encode(form);
    expect(await readForm(body.subarray(0, body.length - 400), type)).toBeNull();
  });
});
