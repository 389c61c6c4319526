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
});
