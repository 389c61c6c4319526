import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { ManualClock } from '../../platform/index.js';
import { Ownership } from './ownership.js';

describe('Ownership', () => {
  let test: TestDatabase;
  let ownership: Ownership;
  const [mine, theirs] = [randomUUID(), randomUUID()];

  beforeAll(async () => {
    test = await startTestDatabase();
    ownership = new Ownership(test.database, new ManualClock());
  });
  afterAll(() => test.stop());

  const claim = (client: string, ref: string) =>
    test.database.transaction((tx) => ownership.claim(tx, client, 'session', ref));

  it('gives a thing to the first and to nobody after', async () => {
    const ref = randomUUID();
    await claim(mine, ref);
    await claim(mine, ref);
    await expect(claim(theirs, ref)).rejects.toMatchObject({ code: 'vendor-invalid-answer' });
    await ownership.check(mine, 'session', ref);
    await expect(ownership.check(theirs, 'session', ref)).rejects.toMatchObject({ code: 'not-found' });
    await expect(ownership.check(mine, 'session', randomUUID())).rejects.toMatchObject({ code: 'not-found' });
  });

  it('has one owner when many claim at once', async () => {
    const ref = randomUUID();
    const clients = Array.from({ length: 8 }, () => randomUUID());
    const results = await Promise.allSettled(clients.map((client) => claim(client, ref)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('finds the own ones among many, known or not', async () => {
    const refs = Array.from({ length: 4 }, () => randomUUID());
    const [a = '', b = '', c = '', d = ''] = refs;
    await claim(mine, a);
    await claim(theirs, b);
    await claim(mine, c);
    await ownership.ownerOf('session', a);
    expect(await ownership.ownOf(mine, 'session', [a, b, c, d])).toEqual(new Set([a, c]));
    expect(await ownership.ownOf(theirs, 'session', [a, b, c, d])).toEqual(new Set([b]));
  });

  it('asks once for what it knows, and again for what it did not find', async () => {
    const ref = randomUUID();
    expect(await ownership.ownerOf('session', ref)).toBeUndefined();
    await claim(mine, ref);
    expect(await ownership.ownerOf('session', ref)).toBe(mine);
    const query = vi.spyOn(test.database, 'query');
    expect(await ownership.ownerOf('session', ref)).toBe(mine);
    await ownership.check(mine, 'session', ref);
    expect(query).not.toHaveBeenCalled();
    query.mockRestore();
  });

  it('cannot be changed by the gateway’s role', async () => {
    await expect(test.database.query('UPDATE orchestration.ownership SET client_id = $1', [theirs])).rejects.toThrow(
      'permission denied',
    );
    await expect(test.database.query('DELETE FROM orchestration.ownership')).rejects.toThrow('permission denied');
  });
});
