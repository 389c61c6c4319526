import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { parseTilePath, tilePath } from './tile-path.js';

describe('the path of a tile', () => {
  it('is that of C2SP tlog-tiles', () => {
    expect(tilePath({ level: 0, index: 0, width: 256 })).toBe('0/000');
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('0/x001/x234/067');
    expect(tilePath({ level: 'entries', index: 273, width: 112 })).toBe('entries/273.p/112');
  });

  test.prop([
    fc.oneof(fc.integer({ min: 0, max: 7 }), fc.constant('entries' as const)),
    fc.integer({ min: 0, max: 999_999_999_999_999 }),
    fc.integer({ min: 1, max: 256 }),
  ])('is read as it is written', (level, index, width) => {
    expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ level, index, width });
  });

  it.each([
    '',
    '0',
    '0/',
    '0/0',
    '0/00',
    '8/000',
    '00/000',
    '0/x000/000',
    '0/000/001',
    '0/000.p/0',
    '0/000.p/257',
    '0/000.p/256',
    '0/000.p/01',
    '-1/000',
    'data/000',
    '0/../1/000',
    '0/000.p',
    '0/x001/x001/x001/x001/x001/001',
  ])('is none: %s', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});
