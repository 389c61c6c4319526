import { describe, expect, it } from 'vitest';
import { isUuid, uuidv7, uuidv7Floor } from './ids.js';

describe('uuidv7 (RFC 9562)', () => {
  it('carries the time, the version and the variant', () => {
    const id = uuidv7(4_102_444_800_000);
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(4_102_444_800_000);
    expect(id[14]).toBe('7');
    expect('89ab').toContain(id[19]);
    expect(isUuid(id)).toBe(true);
  });

  it('never decreases and never repeats, also beyond what one millisecond counts', () => {
    const ids = Array.from({ length: 20_000 }, () => uuidv7(4_102_444_900_000));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('does not go back when the clock does', () => {
    const later = uuidv7(4_102_445_000_000);
    expect(uuidv7(4_102_444_000_000) > later).toBe(true);
  });
});

describe('uuidv7Floor', () => {
  it('lies between the ids of a millisecond and of the one before', () => {
    const ms = 4_102_446_000_000;
    const [before, at] = [uuidv7(ms - 1), uuidv7(ms)];
    expect([before < uuidv7Floor(ms), uuidv7Floor(ms) < at]).toEqual([true, true]);
    expect(isUuid(uuidv7Floor(ms))).toBe(true);
  });
});

describe('isUuid', () => {
  it('knows lower case alone', () => {
    expect(isUuid('0b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10')).toBe(true);
    expect(isUuid('0B6F6C1E-2F3A-4D55-9A55-3F0D0C1F7A10')).toBe(false);
    expect(isUuid("x' or 1=1")).toBe(false);
  });
});
