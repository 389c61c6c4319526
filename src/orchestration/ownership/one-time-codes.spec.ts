import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { Keyring, ManualClock } from '../../platform/index.js';
import { OneTimeCodes } from './one-time-codes.js';

describe('OneTimeCodes', () => {
  let test: TestDatabase;
  const clock = new ManualClock();
  let codes: OneTimeCodes;
  const [mine, theirs] = [randomUUID(), randomUUID()];
  const number = () => `+346${String(Math.random()).slice(2, 10)}`;

  beforeAll(async () => {
    test = await startTestDatabase();
    codes = new OneTimeCodes(test.database, new Keyring(Buffer.alloc(32, 7)), clock);
  });
  afterAll(() => test.stop());

  it('gives a number to the first that has a code sent there, however it is written', async () => {
    const phone = number();
    expect(await codes.begin(mine, 'phone', phone)).toBe(true);
    expect(await codes.begin(mine, 'phone', phone.replace('+34', '0034 ').replace('00', '+'))).toBe(false);
    await expect(codes.begin(theirs, 'phone', phone)).rejects.toMatchObject({
      code: 'conflict',
      headers: { 'retry-after': '600' },
    });
    await codes.check(mine, 'phone', phone);
    await expect(codes.check(theirs, 'phone', phone)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('takes an address for the same in any case, and for another on another channel', async () => {
    const address = `${randomUUID()}@mail.test`;
    await codes.begin(mine, 'email', address);
    await expect(codes.check(theirs, 'email', ` ${address.toUpperCase()}`)).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await codes.begin(theirs, 'phone', address.replace(/\D/g, '') + number())).toBe(true);
  });

  it('lets go of it when it is used up, by its owner alone', async () => {
    const phone = number();
    await codes.begin(mine, 'phone', phone);
    await codes.end(theirs, 'phone', phone);
    await expect(codes.begin(theirs, 'phone', phone)).rejects.toMatchObject({ code: 'conflict' });
    await codes.end(mine, 'phone', phone);
    expect(await codes.begin(theirs, 'phone', phone)).toBe(true);
  });

  it('lets go of it in time, and keeps nothing that is over', async () => {
    const phone = number();
    await codes.begin(mine, 'phone', phone);
    clock.advance(10 * 60_000 + 1);
    await codes.check(theirs, 'phone', phone);
    expect(await codes.begin(theirs, 'phone', phone)).toBe(false);
    clock.advance(10 * 60_000 + 1);
    await codes.sweep(clock.now());
    expect(await test.database.query('SELECT 1 FROM orchestration.one_time_codes')).toEqual([]);
  });

  it('has one owner when many ask at once', async () => {
    const phone = number();
    const clients = Array.from({ length: 8 }, () => randomUUID());
    const results = await Promise.allSettled(clients.map((client) => codes.begin(client, 'phone', phone)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('keeps no number', async () => {
    await codes.begin(mine, 'phone', '+34600112233');
    const rows = await test.database.query('SELECT * FROM orchestration.one_time_codes');
    expect(JSON.stringify(rows)).not.toContain('600112233');
  });
});
