import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { ManualClock } from '../clock.js';
import { Keyring } from '../crypto/keyring.js';
import { Vault } from './vault.js';

describe('Vault', () => {
  let test: TestDatabase;
  const clock = new ManualClock();
  const vault = new Vault(new Keyring(Buffer.alloc(32, 3)), clock);
  const item = (owner: string, plain = 'Zoë') => ({
    owner,
    purpose: 'upload',
    plain: Buffer.from(plain),
    keepMs: 60_000,
  });

  beforeAll(async () => {
    test = await startTestDatabase();
  });
  afterAll(() => test.stop());

  it('gives back what was put, to the same purpose alone', async () => {
    const id = await test.database.transaction((tx) => vault.put(tx, item('client:a')));
    const read = (purpose: string) => test.database.transaction((tx) => vault.get(tx, id, purpose));
    expect((await read('upload'))?.toString()).toBe('Zoë');
    expect(await read('answer')).toBeUndefined();
  });

  it('stores nothing in the clear', async () => {
    await test.database.transaction((tx) => vault.put(tx, item('client:clear', 'hunter2-in-the-vault')));
    const rows = await test.database.query<{ sealed: Buffer }>('SELECT sealed FROM platform.vault');
    expect(rows.some((row) => row.sealed.includes('hunter2'))).toBe(false);
  });

  it('keeps one key an owner when many come at once', async () => {
    const ids = await Promise.all(
      Array.from({ length: 12 }, () => test.database.transaction((tx) => vault.put(tx, item('client:race')))),
    );
    const keys = await test.database.query('SELECT 1 FROM platform.vault_keys WHERE owner = $1', ['client:race']);
    expect(keys).toHaveLength(1);
    for (const id of ids) {
      expect((await test.database.transaction((tx) => vault.get(tx, id, 'upload')))?.toString()).toBe('Zoë');
    }
  });

  it('forgets with the owner’s key, and when its time is over', async () => {
    const id = await test.database.transaction((tx) => vault.put(tx, item('client:gone')));
    await test.database.query('DELETE FROM platform.vault_keys WHERE owner = $1', ['client:gone']);
    expect(await test.database.transaction((tx) => vault.get(tx, id, 'upload'))).toBeUndefined();
    const late = await test.database.transaction((tx) => vault.put(tx, item('client:late')));
    clock.advance(60_000);
    expect(await test.database.transaction((tx) => vault.get(tx, late, 'upload'))).toBeUndefined();
    await test.database.transaction((tx) => vault.sweep(tx));
    expect(await test.database.query('SELECT 1 FROM platform.vault WHERE id = $1', [late])).toHaveLength(0);
  });

  it('erases what an owner had before an instant, some at once, and the key once nothing lies under it', async () => {
    const at = (ms: number, owner: string) => {
      clock.advance(ms);
      return test.database.transaction((tx) => vault.put(tx, item(owner)));
    };
    const early = [await at(0, 'subject:a'), await at(0, 'subject:a'), await at(0, 'subject:a')];
    const other = await at(0, 'subject:b');
    const late = await at(10, 'subject:a');
    const erase = (most: number, before?: Date) =>
      test.database.transaction((tx) => vault.eraseItems(tx, ['subject:a'], before, most));
    const eraseKeys = (before?: Date) =>
      test.database.transaction((tx) => vault.eraseKeys(tx, ['subject:a', 'subject:none'], before));
    const before = new Date(clock.epochMs() - 5);
    expect([await erase(2, before), await erase(2, before), await erase(2, before)]).toEqual([2, 1, 0]);
    expect(await eraseKeys()).toBe(0);
    const get = (id: string) => test.database.transaction((tx) => vault.get(tx, id, 'upload'));
    expect(await Promise.all(early.map(get))).toEqual([undefined, undefined, undefined]);
    expect((await get(late))?.toString()).toBe('Zoë');
    expect(await erase(2)).toBe(1);
    expect([await eraseKeys(new Date(0)), await eraseKeys(), await eraseKeys()]).toEqual([0, 1, 0]);
    expect(await test.database.transaction((tx) => vault.dropAll(tx, [other, late]))).toBe(1);
  });
});
