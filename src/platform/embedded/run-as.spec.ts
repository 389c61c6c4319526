import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canEnter, unprivilegedUser } from './run-as.js';

const AS_ROOT = process.geteuid?.() === 0;

describe.skipIf(!AS_ROOT)('the user root starts PostgreSQL as', () => {
  it('is nobody, by the ids of this machine', () => {
    expect(unprivilegedUser(() => 'root:x:0:0::/root:/bin/sh\nnobody:x:99:98:::')).toEqual({ uid: 99, gid: 98 });
  });

  it('is whoever has the usual uid where nobody goes by another name', () => {
    expect(unprivilegedUser(() => 'root:x:0:0:::\nnone:x:65534:65533:::')).toEqual({ uid: 65534, gid: 65533 });
  });

  it.each(['root:x:0:0:::', 'nobody:x:0:0:::', ''])(
    'cannot be found in %j, and the message names DATABASE_URL',
    (passwd) => {
      expect(() => unprivilegedUser(() => passwd)).toThrow(/^DATABASE_URL: .*"nobody"/);
    },
  );
});

describe.skipIf(AS_ROOT)('any other user', () => {
  it('runs PostgreSQL as themselves', () => {
    expect(unprivilegedUser()).toBeUndefined();
  });
});

describe('whether a user can enter a folder', () => {
  const other = { uid: 65_000, gid: 65_000 };
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gatehouse-enter-'));
    await mkdir(join(dir, 'outer', 'inner'), { recursive: true });
    await chmod(dir, 0o711);
  });
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it('depends on every folder on the way', async () => {
    expect(await canEnter(join(dir, 'outer', 'inner'), other)).toBe(true);
    await chmod(join(dir, 'outer'), 0o700);
    expect(await canEnter(join(dir, 'outer', 'inner'), other)).toBe(false);
    expect(await canEnter(join(dir, 'outer', 'inner'), { uid: process.geteuid?.() ?? 0, gid: 65_000 })).toBe(true);
  });

  it('is asked of where a link leads, not of where it lies', async () => {
    await symlink(join(dir, 'outer'), join(dir, 'link'));
    await chmod(join(dir, 'outer'), 0o700);
    expect(await canEnter(join(dir, 'link'), other)).toBe(false);
  });

  it('follows the right of the group for its members only', async () => {
    await chmod(join(dir, 'outer'), 0o710);
    expect(await canEnter(join(dir, 'outer'), { uid: 65_000, gid: process.getegid?.() ?? 0 })).toBe(true);
    expect(await canEnter(join(dir, 'outer'), other)).toBe(false);
  });
});
